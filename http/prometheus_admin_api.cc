#include "http/prometheus_admin_api.h"

#include <fmt/chrono.h>

#include <ctime>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "http/prometheus_json.h"
#include "http/prometheus_params.h"
#include "query/promql/syntax/parser.h"

namespace varve {
namespace {

HttpResponse NoContent() {
  HttpResponse response;
  response.status = 204;
  return response;
}

// Like Prometheus's: 20261120T093000Z-1f2e3d4c5b6a7988.
std::string SnapshotName(int64_t now_ns) {
  const time_t seconds = now_ns / 1'000'000'000;
  struct tm utc {};
  gmtime_r(&seconds, &utc);
  std::random_device random;
  return fmt::format("{:%Y%m%dT%H%M%SZ}-{:08x}{:08x}", utc, random(), random());
}

}  // namespace

void PrometheusAdminApi::AddRoutes(Router* router) {
  const auto add = [&](std::string_view pattern, const PromAnswer& answer) {
    AddPrometheusRoute(context_, router, {"POST", "PUT"}, pattern, Worker::kQuery,
                       [this, answer](const PromCall& call) -> Result<HttpResponse> {
                         if (!context_.options.admin_api_enabled) {
                           return PromError(500, "unavailable", "admin APIs disabled");
                         }
                         return answer(call);
                       });
  };
  add("/admin/tsdb/delete_series", [this](const PromCall& call) { return DeleteSeries(call); });
  add("/admin/tsdb/snapshot", [this](const PromCall&) { return Snapshot(); });
  add("/admin/tsdb/clean_tombstones", [this](const PromCall&) { return CleanTombstones(); });
}

Result<HttpResponse> PrometheusAdminApi::DeleteSeries(const PromCall& call) const {
  if (!call.form_error.ok()) {
    return InvalidArgument("error parsing form values: " + call.form_error.message());
  }
  const std::vector<std::string_view> texts = call.params.All("match[]");
  if (texts.empty()) return InvalidArgument("no match[] parameter provided");
  VARVE_ASSIGN_OR_RETURN(const PromBounds bounds, ParsePromBounds(call.params));
  // All are read before the first deletes: half of a request is what nobody wants.
  std::vector<std::vector<Matcher>> selectors;
  for (const std::string_view text : texts) {
    Result<std::vector<Matcher>> matchers = promql::ParseSelector(text);
    if (!matchers.ok()) return InvalidParameter("match[]", matchers.status().message());
    selectors.push_back(*std::move(matchers));
  }
  for (const std::vector<Matcher>& matchers : selectors) {
    VARVE_RETURN_IF_ERROR(
        call.metrics().DeleteSamples(call.tenant, matchers, {bounds.start_ms, bounds.end_ms}));
  }
  PromqlCounters::Add(&context_.counters->deleted_series_requests, 1);
  return NoContent();
}

Result<HttpResponse> PrometheusAdminApi::Snapshot() const {
  const std::string name = SnapshotName(context_.clock->NowNs());
  VARVE_RETURN_IF_ERROR(context_.engine->Checkpoint(context_.engine->options().data_dir + "/snapshots/" + name));
  return PromSuccess("{\"name\":\"" + name + "\"}");
}

Result<HttpResponse> PrometheusAdminApi::CleanTombstones() const {
  VARVE_RETURN_IF_ERROR(context_.engine->Compact());
  return NoContent();
}

}  // namespace varve
