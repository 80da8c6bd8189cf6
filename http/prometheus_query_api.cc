#include "http/prometheus_query_api.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "engine/base/json_writer.h"
#include "engine/base/time.h"
#include "http/prometheus_json.h"
#include "http/query_gate.h"
#include "query/promql/eval/tenant_samples.h"
#include "query/promql/syntax/parser.h"

namespace varve {
namespace {

constexpr std::string_view kTruncated = "results truncated due to limit";

bool Truncate(promql::QueryResult* result, size_t limit) {
  const bool has_series =
      result->type == promql::ValueType::kVector || result->type == promql::ValueType::kMatrix;
  if (limit == 0 || !has_series || result->series.size() <= limit) return false;
  result->series.resize(limit);
  return true;
}

Result<UnixTime> RequiredTime(const PromCall& call, std::string_view name) {
  Result<UnixTime> time = ParsePromTime(call.params.Get(name));
  if (!time.ok()) return InvalidParameter(name, time.status().message());
  return time;
}

Result<int64_t> DurationParam(const PromCall& call, std::string_view name) {
  Result<int64_t> duration_ns = ParsePromDurationNs(call.params.Get(name));
  if (!duration_ns.ok()) return InvalidParameter(name, duration_ns.status().message());
  return duration_ns;
}

Result<size_t> LimitParam(const PromCall& call) {
  Result<size_t> limit = ParsePromLimit(call.params.Get("limit"));
  if (!limit.ok()) return InvalidParameter("limit", limit.status().message());
  return limit;
}

__int128 NanosOf(const UnixTime& time) { return static_cast<__int128>(time.seconds) * kNsPerSecond + time.ns; }

// 11000 → "11,000"
std::string WithThousands(uint64_t value) {
  std::string text = std::to_string(value);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

Result<promql::ExprPtr> ParseQueryParam(const PromCall& call) {
  Result<promql::ExprPtr> expr = promql::ParseExpr(call.params.Get("query"));
  if (!expr.ok()) return InvalidParameter("query", expr.status().message());
  return expr;
}

Result<HttpResponse> FormatQuery(const PromCall& call) {
  VARVE_ASSIGN_OR_RETURN(const promql::ExprPtr expr, ParseQueryParam(call));
  std::string data;
  AppendJsonString(&data, promql::Prettify(*expr));
  return PromSuccess(std::move(data));
}

Result<HttpResponse> ParseQuery(const PromCall& call) {
  VARVE_ASSIGN_OR_RETURN(const promql::ExprPtr expr, ParseQueryParam(call));
  return PromSuccess(promql::ToAstJson(*expr));
}

void Count(const Result<promql::QueryResult>& result, PromqlCounters* counters) {
  if (result.ok()) {
    PromqlCounters::Add(&counters->finished, 1);
    PromqlCounters::Add(&counters->samples, result.value().stats.total_queryable_samples);
    PromqlCounters::Add(&counters->series_returned, result.value().series.size());
    return;
  }
  switch (result.status().code()) {
    case Code::kInvalidArgument: return PromqlCounters::Add(&counters->refused, 1);
    case Code::kDeadlineExceeded: PromqlCounters::Add(&counters->timed_out, 1); break;
    case Code::kCancelled: PromqlCounters::Add(&counters->cancelled, 1); break;
    default: break;
  }
  PromqlCounters::Add(&counters->failed, 1);
}

// Any text but "all" asks for totals.
StatsDetail StatsParam(const PromCall& call) {
  const std::string_view stats = call.params.Get("stats");
  if (stats.empty()) return StatsDetail::kNone;
  return stats == "all" ? StatsDetail::kPerStep : StatsDetail::kTotals;
}

}  // namespace

void PrometheusQueryApi::AddRoutes(Router* router) {
  const auto add = [&](std::string_view pattern, PromAnswer answer) {
    AddPrometheusRoute(context_, router, {"GET", "POST"}, pattern, Worker::kQuery, answer);
  };
  add("/query", [this](const PromCall& call) { return QueryInstant(call); });
  add("/query_range", [this](const PromCall& call) { return QueryRange(call); });
  add("/query_exemplars", [this](const PromCall& call) { return QueryExemplars(call); });
  add("/format_query", FormatQuery);
  add("/parse_query", ParseQuery);
}

Status PrometheusQueryApi::ParseTimeoutAndLookback(const PromCall& call, Common* common) const {
  common->timeout_ms = context_.options.promql.timeout_ms;
  if (!call.params.Get("timeout").empty()) {
    VARVE_ASSIGN_OR_RETURN(const int64_t timeout_ns, DurationParam(call, "timeout"));
    common->timeout_ms = std::min(common->timeout_ms, timeout_ns / kNsPerMs);
  }
  if (const std::string_view lookback = call.params.Get("lookback_delta"); !lookback.empty()) {
    const Result<int64_t> lookback_ns = ParsePromDurationNs(lookback);
    if (!lookback_ns.ok()) {
      return InvalidArgument("error parsing lookback delta duration: " + lookback_ns.status().message());
    }
    // Not above zero: the default, as in Prometheus.
    common->lookback_ms = std::max<int64_t>(*lookback_ns / kNsPerMs, 0);
  }
  return Status::Ok();
}

Result<HttpResponse> PrometheusQueryApi::QueryInstant(const PromCall& call) const {
  Common common;
  VARVE_ASSIGN_OR_RETURN(common.limit, LimitParam(call));
  promql::QueryRequest request;
  request.start_ms = call.now_ms;
  if (const std::string_view at = call.params.Get("time"); !at.empty()) {
    const Result<UnixTime> time = ParsePromTime(at);
    if (!time.ok()) {
      return InvalidParameter("time", "invalid time value for 'time': " + time.status().message());
    }
    request.start_ms = ToMillis(*time);
  }
  request.end_ms = request.start_ms;
  VARVE_RETURN_IF_ERROR(ParseTimeoutAndLookback(call, &common));
  return Run(call, std::move(request), common);
}

Result<HttpResponse> PrometheusQueryApi::QueryRange(const PromCall& call) const {
  Common common;
  VARVE_ASSIGN_OR_RETURN(common.limit, LimitParam(call));
  VARVE_ASSIGN_OR_RETURN(const UnixTime start, RequiredTime(call, "start"));
  VARVE_ASSIGN_OR_RETURN(const UnixTime end, RequiredTime(call, "end"));
  if (end < start) return InvalidParameter("end", "end timestamp must not be before start time");
  VARVE_ASSIGN_OR_RETURN(const int64_t step_ns, DurationParam(call, "step"));
  const auto points_max = static_cast<int64_t>(context_.options.promql.points_max);
  // A step below a millisecond would be one of zero.
  if (step_ns < kNsPerMs) {
    const bool too_many = step_ns > 0 && (NanosOf(end) - NanosOf(start)) / step_ns > points_max;
    if (!too_many) {
      return InvalidParameter(
          "step",
          "zero or negative query resolution step widths are not accepted. Try a positive integer");
    }
  }
  if ((NanosOf(end) - NanosOf(start)) / step_ns > points_max) {
    return InvalidArgument("exceeded maximum resolution of " + WithThousands(context_.options.promql.points_max) +
                           " points per timeseries. Try decreasing the query resolution (?step=XX)");
  }
  VARVE_RETURN_IF_ERROR(ParseTimeoutAndLookback(call, &common));
  promql::QueryRequest request;
  request.start_ms = ToMillis(start);
  request.end_ms = ToMillis(end);
  request.step_ms = step_ns / kNsPerMs;
  return Run(call, std::move(request), common);
}

Result<HttpResponse> PrometheusQueryApi::Run(const PromCall& call, promql::QueryRequest request,
                                             const Common& common) const {
  request.query = call.params.Get("query");
  request.lookback_ms = common.lookback_ms;
  const StatsDetail stats = StatsParam(call);
  request.per_step_stats = stats == StatsDetail::kPerStep;
  Result<promql::QueryResult> result = Evaluate(call, request, common.timeout_ms);
  Count(result, context_.counters);
  if (!result.ok()) {
    if (result.status().code() != Code::kInvalidArgument) return std::move(result).status();
    return InvalidParameter("query", result.status().message());
  }
  std::vector<std::string> warnings = result->annotations.Warnings(request.query, kPromNotesMax);
  if (Truncate(&*result, common.limit)) warnings.insert(warnings.begin(), std::string(kTruncated));
  auto memory = std::make_shared<MemoryReservation>(context_.engine->query_budget());
  // The data, and the envelope that it is copied into.
  VARVE_RETURN_IF_ERROR(memory->Add(2 * static_cast<int64_t>(EstimateQueryBytes(*result))));
  std::string data;
  data.reserve(EstimateQueryBytes(*result));
  AppendQueryData(&data, *result, stats);
  HttpResponse response =
      PromSuccess(std::move(data), warnings, result->annotations.Infos(request.query, kPromNotesMax));
  response.memory = std::move(memory);
  return response;
}

Result<promql::QueryResult> PrometheusQueryApi::Evaluate(const PromCall& call,
                                                         const promql::QueryRequest& request,
                                                         int64_t timeout_ms) const {
  const ActiveQuery entry(context_.active,
                          {.tenant = call.tenant_name,
                           .language = "promql",
                           .endpoint = call.request.path,
                           .query = request.query,
                           .remote = call.request.remote,
                           .started_ns = context_.clock->NowNs()},
                          call.request.cancel);
  if (timeout_ms <= 0) return DeadlineExceeded("query timed out in query queue");
  GatePlace place(context_.gate);
  VARVE_RETURN_IF_ERROR(place.Enter(call.request.cancel, timeout_ms));
  MemoryBudget budget("query", QueryMemoryOf(context_, call.tenant_name), context_.engine->query_budget());
  const promql::TenantSamples samples(call.metrics(), call.tenant);
  const std::unique_ptr<const promql::LogqlSource> logql =
      context_.logql == nullptr ? nullptr : context_.logql(call.tenant, call.tenant_name);
  promql::PromqlOptions options = context_.options.promql;
  options.timeout_ms = timeout_ms;
  promql::QueryContext run;
  run.source = &samples;
  run.logql = logql.get();
  run.pool = context_.engine->query_pool();
  run.budget = &budget;
  run.cancel = call.request.cancel;
  return promql::PromqlEngine(options).Run(request, run);
}

Result<HttpResponse> PrometheusQueryApi::QueryExemplars(const PromCall& call) const {
  VARVE_ASSIGN_OR_RETURN(const PromBounds bounds, ParsePromBounds(call.params));
  if (bounds.end_ms < bounds.start_ms) {
    return InvalidArgument("end timestamp must not be before start timestamp");
  }
  VARVE_ASSIGN_OR_RETURN(const promql::ExprPtr expr, promql::ParseExpr(call.params.Get("query")));
  std::vector<std::vector<Matcher>> selectors;
  for (const promql::VectorSelector* selector : promql::Selectors(*expr)) {
    selectors.push_back(selector->matchers);
  }
  if (selectors.empty()) {
    HttpResponse no_content;
    no_content.status = 204;
    return no_content;
  }
  VARVE_ASSIGN_OR_RETURN(const std::vector<ExemplarSeries> found,
                         call.metrics().Exemplars(call.tenant, selectors, {bounds.start_ms, bounds.end_ms}));
  std::string data;
  AppendExemplarsJson(&data, found);
  return PromSuccess(std::move(data));
}

}  // namespace varve
