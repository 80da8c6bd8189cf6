#include "http/prometheus_status_api.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "engine/base/json_writer.h"
#include "engine/model/labels.h"
#include "http/legacy_api.h"
#include "http/prometheus_json.h"
#include "http/prometheus_params.h"
#include "http/version.h"
#include "query/exec/humanized_text.h"
#include "query/promql/syntax/function_table.h"

namespace varve {
namespace {

constexpr size_t kTopDefault = 10;
constexpr size_t kTopMax = 10'000;

// {"a":"b"} of texts.
std::string TextMapJson(const std::map<std::string, std::string>& map) {
  std::string out = "{";
  for (const auto& [name, value] : map) {
    if (out.back() != '{') out.push_back(',');
    AppendJsonString(&out, name);
    out.push_back(':');
    AppendJsonString(&out, value);
  }
  return out.append("}");
}

std::string Milliseconds(int64_t ms) { return PrometheusDurationText(ms * kNsPerMs); }

// `features` is how Mimir tells Grafana that rules can be edited at /config/v1/rules. There is no `application`: it would
// turn on what only Mimir has.
HttpResponse BuildInfo(bool rules_by_api) {
  std::string out = TextMapJson({{"version", std::string(kPrometheusApiVersion)},
                                 {"revision", "varve-" + std::string(kVarveVersion)},
                                 {"branch", ""},
                                 {"buildUser", ""},
                                 {"buildDate", ""},
                                 {"goVersion", ""}});
  if (rules_by_api) {
    out.pop_back();
    out.append(R"(,"features":{"ruler_config_api":"true"}})");
  }
  return PromSuccess(std::move(out));
}

std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.data();
}

size_t ThreadCount() {
  std::error_code error;
  size_t count = 0;
  for (std::filesystem::directory_iterator it("/proc/self/task", error), end; !error && it != end;
       it.increment(error)) {
    ++count;
  }
  return count;
}

void AppendCounts(std::string* out, std::string_view name, const std::vector<NamedCount>& counts) {
  out->append(",\"").append(name).append("\":[");
  for (const NamedCount& count : counts) {
    if (out->back() != '[') out->push_back(',');
    out->append("{\"name\":");
    AppendJsonString(out, count.name);
    out->append(",\"value\":");
    AppendUint(out, count.count);
    out->push_back('}');
  }
  out->push_back(']');
}

// A category of /api/v1/features.
void AppendFeatures(std::string* out, std::string_view category,
                    const std::vector<std::pair<std::string_view, bool>>& features) {
  if (out->back() != '{') out->push_back(',');
  AppendJsonString(out, category);
  out->append(":{");
  for (const auto& [name, on] : features) {
    if (out->back() != '{') out->push_back(',');
    AppendJsonString(out, name);
    out->append(on ? ":true" : ":false");
  }
  out->push_back('}');
}

HttpResponse Health(const HttpRequest& request, int status, std::string_view text) {
  HttpResponse response =
      status == 200 ? TextResponse(200, std::string(text)) : ErrorText(status, std::string(text));
  if (request.method == "HEAD") response.body.clear();
  return response;
}

}  // namespace

PrometheusStatusApi::PrometheusStatusApi(const PrometheusContext* context,
                                         std::function<std::string()> config_yaml)
    : context_(*context), config_yaml_(std::move(config_yaml)), started_ns_(context->clock->NowNs()) {}

void PrometheusStatusApi::AddRoutes(Router* router) {
  const auto add = [&](std::string_view pattern, PromAnswer answer) {
    AddPrometheusRoute(context_, router, {"GET"}, pattern, Worker::kAdmin, answer);
  };
  add("/status/runtimeinfo", [this](const PromCall&) { return RuntimeInfo(); });
  add("/status/flags", [this](const PromCall&) { return Flags(); });
  add("/features", [this](const PromCall&) { return Features(); });
  add("/status/tsdb", [this](const PromCall& call) { return Tsdb(call); });
  add("/status/config", [this](const PromCall&) -> Result<HttpResponse> {
    return PromSuccess(TextMapJson({{"yaml", config_yaml_ == nullptr ? "" : config_yaml_()}}));
  });
  add("/status/walreplay", [this](const PromCall&) -> Result<HttpResponse> {
    const std::string records = std::to_string(context_.engine->Stats().replayed_records);
    return PromSuccess(R"({"min":0,"max":)" + records + R"(,"current":)" + records + "}");
  });
  // Some builds of Grafana ask by POST.
  AddPrometheusRoute(context_, router, {"GET", "POST"}, "/status/buildinfo", Worker::kAdmin,
                     [this](const PromCall&) -> Result<HttpResponse> {
                       return BuildInfo(context_.rules_by_api);
                     });
  AddTargetRoutes(router);
  AddHealthRoutes(router);
}

void PrometheusStatusApi::AddTargetRoutes(Router* router) {
  const auto fixed = [&](std::string_view pattern, std::string data) {
    AddPrometheusRoute(context_, router, {"GET"}, pattern, Worker::kAdmin,
                       [data](const PromCall&) -> Result<HttpResponse> { return PromSuccess(data); });
  };
  fixed("/targets", R"({"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{}})");
  fixed("/scrape_pools", R"({"scrapePools":[]})");
  fixed("/notifications", "[]");
  // There is nothing to wait for.
  AddPrometheusRoute(context_, router, {"GET"}, "/notifications/live", Worker::kAdmin,
                     [](const PromCall&) -> Result<HttpResponse> {
                       HttpResponse response;
                       response.status = 204;
                       return response;
                     });
}

void PrometheusStatusApi::AddHealthRoutes(Router* router) {
  for (const std::string prefix : {"", "/prometheus"}) {
    router->Add({"GET", "HEAD"}, prefix + "/-/healthy", Worker::kInline, [](const HttpRequest& request) {
      return Health(request, 200, "Prometheus Server is Healthy.\n");
    });
    router->Add({"GET", "HEAD"}, prefix + "/-/ready", Worker::kInline, [this](const HttpRequest& request) {
      const bool ready = context_.ready == nullptr || context_.ready();
      return ready ? Health(request, 200, "Prometheus Server is Ready.\n")
                   : Health(request, 503, "Service Unavailable\n");
    });
  }
}

Result<HttpResponse> PrometheusStatusApi::RuntimeInfo() const {
  const EngineOptions& engine = context_.engine->options();
  std::error_code error;
  std::string out = "{\"startTime\":";
  AppendJsonString(&out, Rfc3339NanoText(started_ns_));
  out.append(",\"CWD\":");
  AppendJsonString(&out, std::filesystem::current_path(error).string());
  out.append(",\"hostname\":");
  AppendJsonString(&out, HostName());
  out.append(",\"serverTime\":");
  AppendJsonString(&out, Rfc3339NanoText(context_.clock->NowNs()));
  out.append(",\"reloadConfigSuccess\":true,\"lastConfigTime\":");
  AppendJsonString(&out, Rfc3339NanoText(started_ns_));
  out.append(",\"corruptionCount\":0,\"goroutineCount\":");
  AppendUint(&out, ThreadCount());
  out.append(",\"GOMAXPROCS\":");
  AppendUint(&out, std::thread::hardware_concurrency());
  out.append(",\"GOMEMLIMIT\":");
  AppendInt(&out, engine.memory_budget_bytes);
  out.append(R"(,"GOGC":"","GODEBUG":"","storageRetention":)");
  AppendJsonString(&out, engine.retention_ns > 0 ? PrometheusDurationText(engine.retention_ns) : "");
  return PromSuccess(std::move(out.append("}")));
}

Result<HttpResponse> PrometheusStatusApi::Flags() const {
  const PrometheusOptions& options = context_.options;
  const EngineOptions& engine = context_.engine->options();
  return PromSuccess(TextMapJson({
      {"query.lookback-delta", Milliseconds(options.promql.lookback_ms)},
      {"query.max-concurrency", std::to_string(options.concurrency_max)},
      {"query.max-samples", std::to_string(options.promql.samples_max)},
      {"query.timeout", Milliseconds(options.promql.timeout_ms)},
      {"storage.remote.read-concurrent-limit", std::to_string(options.read_concurrency_max)},
      {"storage.remote.read-max-bytes-in-frame", std::to_string(options.read_frame_bytes)},
      {"storage.remote.read-sample-limit", std::to_string(options.read_samples_max)},
      {"storage.tsdb.path", engine.data_dir},
      {"storage.tsdb.retention.time", PrometheusDurationText(engine.retention_ns)},
      {"web.cors.origin", options.cors_origin == "*" ? ".*" : options.cors_origin},
      {"web.enable-admin-api", options.admin_api_enabled ? "true" : "false"},
      {"web.enable-lifecycle", "true"},
      {"web.enable-otlp-receiver", "true"},
      {"web.enable-remote-write-receiver", "true"},
  }));
}

Result<HttpResponse> PrometheusStatusApi::Features() const {
  const promql::PromqlOptions& options = context_.options.promql;
  std::string out = "{";
  AppendFeatures(&out, "api",
                 {{"admin", context_.options.admin_api_enabled},
                  {"exclude_alerts", true},
                  {"label_values_match", true},
                  {"lifecycle", true},
                  {"otlp_write_receiver", true},
                  {"query_stats", true},
                  {"query_warnings", true},
                  {"remote_write_receiver", true},
                  {"search", false},
                  {"time_range_labels", true},
                  {"time_range_series", true}});
  AppendFeatures(&out, "promql",
                 {{"anchored", true},      {"at_modifier", true},
                  {"bool", true},          {"by", true},
                  {"delayed_name_removal", options.delayed_name_removal},
                  {"duration_expr", true}, {"fill", true},
                  {"fill_left", true},     {"fill_right", true},
                  {"group_left", true},    {"group_right", true},
                  {"ignoring", true},      {"negative_offset", true},
                  {"offset", true},        {"on", true},
                  {"per_query_lookback_delta", true},
                  {"per_step_stats", true},
                  {"smoothed", true},      {"subqueries", true},
                  {"type_and_unit_labels", options.type_and_unit_labels},
                  {"without", true}});
  std::vector<std::pair<std::string_view, bool>> functions;
  for (const promql::FunctionSignature& function : promql::AllFunctions()) {
    functions.emplace_back(function.name, true);
  }
  AppendFeatures(&out, "promql_functions", functions);
  return PromSuccess(std::move(out.append("}")));
}

Result<HttpResponse> PrometheusStatusApi::Tsdb(const PromCall& call) const {
  size_t limit = kTopDefault;
  if (const std::string_view asked = call.params.Get("limit"); !asked.empty()) {
    const Result<int64_t> number = ParseGoAtoi(asked);
    if (!number.ok() || *number < 1) return InvalidArgument("limit must be a positive number");
    if (*number > static_cast<int64_t>(kTopMax)) {
      return InvalidArgument("limit must not exceed " + std::to_string(kTopMax));
    }
    limit = static_cast<size_t>(*number);
  }
  const CardinalityReport report = call.metrics().Cardinality(call.tenant, limit);
  std::string out = "{\"headStats\":{\"numSeries\":";
  AppendUint(&out, report.series);
  out.append(",\"numLabelPairs\":");
  AppendUint(&out, report.label_pairs);
  out.append(",\"chunkCount\":");
  AppendUint(&out, report.chunks);
  out.append(",\"minTime\":");
  AppendInt(&out, report.min_ms);
  out.append(",\"maxTime\":");
  AppendInt(&out, report.max_ms);
  out.push_back('}');
  AppendCounts(&out, "seriesCountByMetricName", report.series_by_metric);
  AppendCounts(&out, "labelValueCountByLabelName", report.values_by_label);
  AppendCounts(&out, "memoryInBytesByLabelName", report.bytes_by_label);
  AppendCounts(&out, "seriesCountByLabelValuePair", report.series_by_pair);
  return PromSuccess(std::move(out.append("}")));
}

}  // namespace varve
