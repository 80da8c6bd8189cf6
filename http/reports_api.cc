#include "http/reports_api.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alerting/reports/reporter.h"
#include "engine/base/json_writer.h"
#include "http/form.h"
#include "http/prometheus_call.h"
#include "http/prometheus_json.h"
#include "http/tenant.h"

namespace varve {
namespace {

void AddText(std::string_view key, std::string_view value, std::string* out) {
  AppendJsonString(out, key);
  out->push_back(':');
  AppendJsonString(out, value);
}

void AddStatus(const ReportStatus& report, std::string* out) {
  out->push_back('{');
  AddText("name", report.name, out);
  out->push_back(',');
  AddText("schedule", report.schedule, out);
  out->push_back(',');
  AddText("timeZone", report.time_zone, out);
  out->push_back(',');
  AddText("period", report.period, out);
  out->append(",\"receivers\":[");
  for (const std::string& receiver : report.receivers) {
    if (&receiver != report.receivers.data()) out->push_back(',');
    AppendJsonString(out, receiver);
  }
  out->append("],\"nextRun\":");
  AppendMillisAsSeconds(out, report.next_run_ms);
  out->push_back(',');
  AddText("lastDate", report.last_date, out);
  out->push_back(',');
  AddText("lastError", report.last_error, out);
  out->append(",\"attempts\":");
  AppendUint(out, report.attempts);
  out->append(",\"runsDue\":");
  AppendUint(out, report.runs_due);
  out->push_back('}');
}

std::string RunJson(const ReportRun& run) {
  std::string out = "{";
  AddText("report", run.report, &out);
  out.push_back(',');
  AddText("date", run.date, &out);
  out.append(",\"entry\":" + run.entry + ",");
  AddText("title", run.title, &out);
  out.push_back(',');
  AddText("text", run.text, &out);
  out.push_back(',');
  AddText("html", run.html, &out);
  out.append(run.stored ? ",\"stored\":true" : ",\"stored\":false");
  out.append(run.sent ? ",\"sent\":true," : ",\"sent\":false,");
  AddText("error", run.error, &out);
  return out.append("}");
}

Result<bool> FlagParam(const FormParams& params, std::string_view name) {
  const std::string_view value = params.Get(name);
  if (value.empty() || value == "false" || value == "0") return false;
  if (value == "true" || value == "1") return true;
  return InvalidArgument("invalid parameter \"" + std::string(name) + "\": neither true nor false");
}

}  // namespace

void ReportsApi::AddRoutes(Router* router) {
  for (const std::string prefix : {"/api/v1", "/prometheus/api/v1"}) {
    router->Add({"GET"}, prefix + "/reports", Worker::kInline,
                [this](const HttpRequest& request) { return List(request); });
    router->Add({"POST"}, prefix + "/reports/{name}/run", Worker::kQuery,
                [this](const HttpRequest& request) { return Run(request); });
  }
}

HttpResponse ReportsApi::List(const HttpRequest& request) const {
  TenantLookup tenant = ResolveTenant(request, auth_enabled_, true);
  if (tenant.refusal.has_value()) return std::move(*tenant.refusal);
  std::string data = "{\"reports\":[";
  const size_t empty = data.size();
  for (const ReportStatus& report : reporter_ == nullptr ? std::vector<ReportStatus>() : reporter_->Reports()) {
    if (auth_enabled_ && report.tenant != tenant.name) continue;
    if (data.size() != empty) data.push_back(',');
    AddStatus(report, &data);
  }
  return PromSuccess(data.append("]}"));
}

HttpResponse ReportsApi::Run(const HttpRequest& request) const {
  TenantLookup tenant = ResolveTenant(request, auth_enabled_, true);
  if (tenant.refusal.has_value()) return std::move(*tenant.refusal);
  const std::string& name = request.path_params[0];
  const std::vector<ReportStatus> reports = reporter_ == nullptr ? std::vector<ReportStatus>() : reporter_->Reports();
  const bool known = std::any_of(reports.begin(), reports.end(), [&](const ReportStatus& report) {
    return report.name == name && (!auth_enabled_ || report.tenant == tenant.name);
  });
  if (!known) return PromFailure(NotFound("there is no report \"" + name + "\""));
  const Result<FormParams> params = FormParams::Parse(request);
  if (!params.ok()) return PromFailure(params.status());
  const Result<bool> dry_run = FlagParam(*params, "dry_run");
  if (!dry_run.ok()) return PromFailure(dry_run.status());
  const Result<ReportRun> run = reporter_->Run(name, params->Get("date"), *dry_run);
  return run.ok() ? PromSuccess(RunJson(*run)) : PromFailure(run.status());
}

}  // namespace varve
