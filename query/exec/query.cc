#include "query/exec/query.h"

#include <chrono>

#include "query/exec/log_query.h"
#include "query/exec/metric_query.h"
#include "query/exec/query_checks.h"
#include "query/exec/query_context.h"

namespace varve {
namespace {

using Data = decltype(QueryResult::data);

// limits.max_query_lookback cuts off what is too old. False: nothing is left.
bool ClampToLookback(const Engine& engine, const QueryLimits& limits, QueryRequest* request) {
  if (limits.max_query_lookback_ns <= 0) return true;
  const int64_t oldest_ns = engine.options().clock->NowNs() - limits.max_query_lookback_ns;
  if (request->end_ns < oldest_ns) return false;
  if (request->start_ns < oldest_ns) request->start_ns = oldest_ns;
  return true;
}

Data EmptyAnswer(const logql::Expr& expr, bool instant) {
  if (expr.is_log_query()) return Streams();
  if (instant) return VectorResult();
  return MatrixResult();
}

Result<Data> Run(QueryContext& query, const logql::Expr& expr, QueryResult* result) {
  if (const auto* selector = std::get_if<logql::LogSelector>(&expr.node)) {
    VARVE_ASSIGN_OR_RETURN(Streams streams, RunLogQuery(query, *selector, &result->last));
    return Data(std::move(streams));
  }
  return RunMetricQuery(query, expr, &result->warnings);
}

// An error that was met in a part of the query is not always the one that the whole query ends with.
bool MustRunAtOnce(const QueryContext& query, const Status& error) {
  return query.evaluated_in_parts() && error.code() != Code::kCancelled &&
         error.code() != Code::kDeadlineExceeded;
}

}  // namespace

Result<QueryResult> RunQuery(Engine& engine, const logql::Expr& expr, const QueryRequest& request,
                             const QueryLimits& limits) {
  const auto started = std::chrono::steady_clock::now();
  VARVE_RETURN_IF_ERROR(CheckLimits(expr, request, limits));
  QueryRequest clamped = request;
  QueryResult result;
  if (!ClampToLookback(engine, limits, &clamped)) {
    result.data = EmptyAnswer(expr, request.instant);
    return result;
  }
  for (;;) {
    QueryContext query(engine, clamped, limits);
    Result<Data> data = Run(query, expr, &result);
    if (!data.ok()) {
      if (!MustRunAtOnce(query, data.status())) return std::move(data).status();
      clamped.cache = nullptr;
      continue;
    }
    result.data = std::move(data).value();
    result.stats = query.stats();
    break;
  }
  result.stats.exec_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  return result;
}

}  // namespace varve
