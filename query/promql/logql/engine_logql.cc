#include "query/promql/logql/engine_logql.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/base/time.h"
#include "engine/model/labels.h"
#include "query/logql/parser.h"
#include "query/logql/shifted.h"

namespace varve::promql {
namespace {

// The LogQL text is part of every error: the PromQL query may have several.
Status InLogql(Status status, std::string_view query) {
  return std::move(status).WithContext("logql(" + GoQuoted(query) + ")");
}

Result<logql::ExprPtr> ParseMetricQuery(std::string_view query) {
  VARVE_ASSIGN_OR_RETURN(logql::ExprPtr expr, logql::ParseExpr(query));
  if (expr->is_log_query()) return InvalidArgument("a metric query is wanted here, this one gives log lines");
  return expr;
}

PackedLabels WithoutName(const LabelPairs& pairs) {
  std::vector<LabelView> labels;
  labels.reserve(pairs.size());
  for (const auto& [name, value] : pairs) {
    if (name != kMetricName) labels.push_back({name, value});
  }
  return PackedLabels::FromUnsorted(std::move(labels));
}

// Points come `late_ms` after the step that they are for.
StepMatrix ToMatrix(const std::vector<varve::ResultSeries>& series, const StepGrid& grid, int64_t late_ms) {
  StepMatrix matrix;
  matrix.reserve(series.size());
  for (const varve::ResultSeries& from : series) {
    StepSeries to;
    to.labels = WithoutName(from.labels);
    to.column.Resize(grid.steps());
    for (const varve::Point& point : from.points) {
      const int64_t behind = point.t_ms - late_ms - grid.start_ms;
      const int64_t step = grid.step_ms == 0 ? 0 : behind / grid.step_ms;
      if (behind < 0 || static_cast<size_t>(step) >= grid.steps()) continue;
      to.column.SetFloat(static_cast<size_t>(step), point.value);
    }
    matrix.push_back(std::move(to));
  }
  return matrix;
}

// Milliseconds that fit into nanoseconds.
bool FitsNs(int64_t ms) { return ms > INT64_MIN / kNsPerMs && ms < INT64_MAX / kNsPerMs; }

}  // namespace

Status EngineLogqlSource::Check(std::string_view query) const {
  Result<logql::ExprPtr> expr = ParseMetricQuery(query);
  return expr.ok() ? Status::Ok() : InLogql(std::move(expr).status(), query);
}

Result<StepMatrix> EngineLogqlSource::Evaluate(std::string_view query, const StepGrid& grid, const CancelToken& cancel,
                                               MemoryBudget* budget) const {
  Result<logql::ExprPtr> expr = ParseMetricQuery(query);
  if (!expr.ok()) return InLogql(std::move(expr).status(), query);
  if (!FitsNs(grid.start_ms) || !FitsNs(grid.end_ms) || !FitsNs(grid.step_ms)) {
    return InLogql(InvalidArgument("the time is out of the range of logs"), query);
  }
  varve::QueryRequest request;
  request.tenant = tenant_;
  request.instant = grid.step_ms == 0;
  request.start_ns = grid.start_ms * kNsPerMs;
  request.end_ns = grid.At(grid.steps() - 1) * kNsPerMs;
  request.step_ns = grid.step_ms * kNsPerMs;
  request.cache = cache_;
  request.cancel = &cancel;
  int64_t late_ms = 0;
  if (const int64_t rest_ms = grid.step_ms == 0 ? 0 : grid.start_ms % grid.step_ms; rest_ms != 0) {
    // LogQL has its steps at multiples of the step: the next ones, of windows as far back.
    late_ms = rest_ms > 0 ? grid.step_ms - rest_ms : -rest_ms;
    expr = logql::ShiftedBack(**expr, late_ms * kNsPerMs);
    request.start_ns += late_ms * kNsPerMs;
    request.end_ns += late_ms * kNsPerMs;
  }
  QueryLimits limits = limits_;
  if (budget != nullptr) {
    const int64_t left = std::max<int64_t>(budget->limit_bytes() - budget->used_bytes(), 1);
    limits.max_query_memory_bytes = limits.max_query_memory_bytes == 0 ? left
                                                                       : std::min(limits.max_query_memory_bytes, left);
  }
  Result<varve::QueryResult> result = RunQuery(*engine_, **expr, request, limits);
  if (!result.ok()) return InLogql(std::move(result).status(), query);
  if (const auto* matrix = std::get_if<MatrixResult>(&result->data)) return ToMatrix(matrix->series, grid, late_ms);
  if (const auto* vector = std::get_if<VectorResult>(&result->data)) return ToMatrix(vector->series, grid, late_ms);
  if (const auto* scalar = std::get_if<ScalarResult>(&result->data)) {
    return ToMatrix({{.labels = {}, .points = {{scalar->t_ms, scalar->value}}}}, grid, 0);
  }
  return InternalError("a LogQL metric query gave log lines");
}

}  // namespace varve::promql
