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

Result<Data> Run(QueryContext& query, const logql::Expr& expr) {
  if (const auto* selector = std::get_if<logql::LogSelector>(&expr.node)) {
    VARVE_ASSIGN_OR_RETURN(Streams streams, RunLogQuery(query, *selector));
    return Data(std::move(streams));
  }
  return RunMetricQuery(query, expr);
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
  QueryContext query(engine, clamped, limits);
  VARVE_ASSIGN_OR_RETURN(result.data, Run(query, expr));
  result.stats = query.stats();
  result.stats.exec_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  return result;
}

}  // namespace varve
