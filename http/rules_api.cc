#include "http/rules_api.h"

#include <xxhash.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "alerting/notify/external_alertmanagers.h"
#include "alerting/rules/ruler.h"
#include "engine/base/json_writer.h"
#include "engine/model/labels.h"
#include "http/error_map.h"
#include "http/prometheus_json.h"
#include "http/prometheus_params.h"
#include "http/rule_json.h"
#include "http/tenant.h"

namespace varve {
namespace {

// ---- What is asked for ----------------------------------------------------------------------------

std::string Lowered(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

void AddAll(const FormParams& params, std::string_view name, std::set<std::string, std::less<>>* values) {
  for (const std::string_view value : params.All(name)) {
    if (!value.empty()) values->emplace(value);
  }
}

Status ReadType(const FormParams& params, RuleFilter* filter) {
  const std::string type = Lowered(params.Get("type"));
  if (!type.empty() && type != "alert" && type != "record") {
    return InvalidArgument("not supported value " + GoQuoted(type));
  }
  filter->alerting = type != "record";
  filter->recording = type != "alert";
  return Status::Ok();
}

// Go's strconv.ParseBool.
std::optional<bool> ParseGoBool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

Status ReadExcludeAlerts(const FormParams& params, RuleFilter* filter) {
  const std::string text = Lowered(params.Get("exclude_alerts"));
  if (text.empty()) return Status::Ok();
  const std::optional<bool> exclude = ParseGoBool(text);
  if (!exclude.has_value()) {
    return InvalidParameter("exclude_alerts", "error converting exclude_alerts: strconv.ParseBool: parsing " +
                                                  GoQuoted(text) + ": invalid syntax");
  }
  filter->exclude_alerts = *exclude;
  return Status::Ok();
}

// ---- Pages ------------------------------------------------------------------------------------------

struct Paging {
  size_t groups_max = 0;  // 0: all in one answer
  std::string token;      // of the group that the page begins with
};

Result<Paging> ReadPaging(const FormParams& params) {
  Paging paging;
  paging.token = params.Get("group_next_token");
  const std::string_view groups = params.Get("group_limit");
  if (!paging.token.empty() && groups.empty()) {
    return InvalidParameter("group_next_token",
                            "group_limit needs to be present in order to paginate over the groups");
  }
  if (groups.empty()) return paging;
  const Result<int64_t> limit = ParseGoAtoi(groups);
  constexpr int64_t kLimitMax = 0x7fffffff;
  if (!limit.ok() || *limit > kLimitMax) {
    return InvalidParameter("group_limit",
                            "group_limit needs to be a valid number: strconv.ParseInt: parsing " + GoQuoted(groups) +
                                (limit.ok() ? ": value out of range" : ": invalid syntax"));
  }
  if (*limit <= 0) return InvalidParameter("group_limit", "group_limit needs to be greater than 0");
  paging.groups_max = static_cast<size_t>(*limit);
  return paging;
}

std::string TokenOf(const RuleGroup& group) {
  const std::string identity = group.file + ";" + group.name;
  const XXH128_hash_t hash = XXH3_128bits(identity.data(), identity.size());
  char text[33];
  std::snprintf(text, sizeof(text), "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return text;
}

// ---- Loki's envelope ------------------------------------------------------------------------------

HttpResponse LokiSuccess(std::string_view data) {
  HttpResponse response =
      JsonResponse(R"({"status":"success","data":)" + std::string(data) + R"(,"errorType":"","error":""})");
  response.content_type = "application/json";
  return response;
}

HttpResponse LokiBadData(std::string_view message) {
  std::string body = R"({"status":"error","data":null,"errorType":"bad_data","error":)";
  AppendJsonString(&body, message);
  return ErrorText(400, body.append("}"));
}

std::vector<GroupStatus> GroupsOf(const Ruler* ruler, const std::string& tenant) {
  std::vector<GroupStatus> groups = ruler == nullptr ? std::vector<GroupStatus>() : ruler->Groups(tenant);
  std::stable_sort(groups.begin(), groups.end(), [](const GroupStatus& a, const GroupStatus& b) {
    return std::tie(a.group.file, a.group.name) < std::tie(b.group.file, b.group.name);
  });
  return groups;
}

}  // namespace

void RulesApi::AddRoutes(Router* router) {
  // Those below /prometheus are the Loki ruler's, which answers the same with two fields more.
  const auto add = [&](std::string_view path, Result<HttpResponse> (RulesApi::*answer)(const PromCall&) const) {
    router->Add({"GET", "OPTIONS"}, path, Worker::kAdmin, [this, answer](const HttpRequest& request) {
      return AnswerPrometheus(context_, request, [&](const PromCall& call) { return (this->*answer)(call); });
    });
  };
  add("/api/v1/rules", &RulesApi::PrometheusRules);
  add("/api/v1/alerts", &RulesApi::PrometheusAlerts);
  AddPrometheusRoute(context_, router, {"GET"}, "/alertmanagers", Worker::kAdmin,
                     [this](const PromCall&) { return Alertmanagers(); });
  const auto add_loki = [&](std::string_view path,
                            HttpResponse (RulesApi::*answer)(const HttpRequest&, const std::string&) const) {
    router->Add({"GET"}, path, Worker::kAdmin, [this, answer](const HttpRequest& request) {
      TenantLookup tenant = ResolveTenant(request, context_.auth_enabled, true);
      if (tenant.refusal.has_value()) return std::move(*tenant.refusal);
      if (context_.ready != nullptr && !context_.ready()) return ErrorText(503, "rules are not loaded yet\n");
      return (this->*answer)(request, tenant.name);
    });
  };
  add_loki("/prometheus/api/v1/rules", &RulesApi::LokiRules);
  add_loki("/prometheus/api/v1/alerts", &RulesApi::LokiAlerts);
}

Result<HttpResponse> RulesApi::PrometheusRules(const PromCall& call) const {
  if (!call.form_error.ok()) {
    return InvalidArgument("error parsing form values: " + call.form_error.message());
  }
  RuleFilter filter;
  AddAll(call.params, "rule_name[]", &filter.names);
  AddAll(call.params, "rule_group[]", &filter.groups);
  AddAll(call.params, "file[]", &filter.files);
  VARVE_ASSIGN_OR_RETURN(filter.matchers, ParseMatchParams(call));
  if (const Status type = ReadType(call.params, &filter); !type.ok()) {
    return InvalidParameter("type", type.message());
  }
  VARVE_RETURN_IF_ERROR(ReadExcludeAlerts(call.params, &filter));
  VARVE_ASSIGN_OR_RETURN(const Paging paging, ReadPaging(call.params));

  bool found = paging.token.empty();
  size_t shown = 0;
  std::string next;
  std::string data = R"({"groups":[)";
  for (const GroupStatus& group : GroupsOf(ruler_, call.tenant_name)) {
    found = found || TokenOf(group.group) == paging.token;
    if (!found) continue;
    const size_t before = data.size();
    if (shown != 0) data.push_back(',');
    const bool appended = AppendGroupJson(&data, group, filter, RuleJsonForm::kPrometheus);
    const bool full = paging.groups_max != 0 && shown == paging.groups_max;
    if (!appended || full) data.resize(before);
    if (appended && full) {
      next = TokenOf(group.group);
      break;
    }
    if (appended) ++shown;
  }
  if (!found) {
    return InvalidParameter("group_next_token",
                            "invalid group_next_token '" + paging.token + "'. were rule groups changed?");
  }
  data.push_back(']');
  if (!next.empty()) data.append(R"(,"groupNextToken":")").append(next).push_back('"');
  return PromSuccess(std::move(data.append("}")));
}

Result<HttpResponse> RulesApi::PrometheusAlerts(const PromCall& call) const {
  std::string data = R"({"alerts":[)";
  AppendAlertsJson(&data, GroupsOf(ruler_, call.tenant_name), RuleJsonForm::kPrometheus);
  return PromSuccess(std::move(data.append("]}")));
}

HttpResponse RulesApi::LokiRules(const HttpRequest& request, const std::string& tenant) const {
  const Result<FormParams> params = FormParams::Parse(request);
  if (!params.ok()) return LokiBadData(params.status().message());
  RuleFilter filter;
  // Grafana writes the names of lists with brackets and without.
  for (const std::string suffix : {"", "[]"}) {
    AddAll(*params, "rule_name" + suffix, &filter.names);
    AddAll(*params, "rule_group" + suffix, &filter.groups);
    AddAll(*params, "file" + suffix, &filter.files);
  }
  if (const Status type = ReadType(*params, &filter); !type.ok()) return LokiBadData(type.message());
  if (const Status exclude = ReadExcludeAlerts(*params, &filter); !exclude.ok()) return LokiBadData(exclude.message());
  std::string data = R"({"groups":[)";
  for (const GroupStatus& group : GroupsOf(ruler_, tenant)) {
    const size_t before = data.size();
    if (data.back() != '[') data.push_back(',');
    if (!AppendGroupJson(&data, group, filter, RuleJsonForm::kLoki)) data.resize(before);
  }
  return LokiSuccess(data.append("]}"));
}

Result<HttpResponse> RulesApi::Alertmanagers() const {
  std::string data = R"({"activeAlertmanagers":[)";
  for (const AlertmanagerStats& target : external_ == nullptr ? std::vector<AlertmanagerStats>() : external_->Stats()) {
    if (data.back() != '[') data.push_back(',');
    data.append("{\"url\":");
    AppendJsonString(&data, target.url + "/api/v2/alerts");
    data.push_back('}');
  }
  return PromSuccess(std::move(data.append(R"(],"droppedAlertmanagers":[]})")));
}

HttpResponse RulesApi::LokiAlerts(const HttpRequest&, const std::string& tenant) const {
  std::string data = R"({"alerts":[)";
  AppendAlertsJson(&data, GroupsOf(ruler_, tenant), RuleJsonForm::kLoki);
  return LokiSuccess(data.append("]}"));
}

}  // namespace varve
