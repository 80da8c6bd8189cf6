#include "query/exec/metric_query.h"

#include <algorithm>

#include "query/exec/binary_operation.h"
#include "query/exec/cached_evaluation.h"
#include "query/exec/label_replace.h"
#include "query/exec/range_aggregation.h"
#include "query/exec/series_set.h"
#include "query/exec/step_grid.h"
#include "query/exec/vector_aggregation.h"

namespace varve {
namespace {

using logql::Expr;

int64_t ToMs(int64_t ns) { return ns / kNsPerMs - (ns % kNsPerMs < 0 ? 1 : 0); }

SeriesSet Constant(double value, uint32_t step_count) {
  Series series;
  for (uint32_t step = 0; step < step_count; ++step) series.points.push_back({step, value});
  SeriesSet set;
  set.push_back(std::move(series));
  return set;
}

// Whether the order of the result's series says something.
bool ContainsSort(const Expr& expr) {
  if (const auto* vector = std::get_if<logql::VectorAggregation>(&expr.node)) {
    return vector->op == logql::VectorOp::kSort || vector->op == logql::VectorOp::kSortDesc ||
           ContainsSort(*vector->operand);
  }
  if (const auto* replace = std::get_if<logql::LabelReplace>(&expr.node))
    return ContainsSort(*replace->operand);
  if (const auto* binary = std::get_if<logql::BinaryOperation>(&expr.node)) {
    return ContainsSort(*binary->left) || ContainsSort(*binary->right);
  }
  return false;
}

class Evaluation {
 public:
  Evaluation(QueryContext& query, const StepGrid& steps) : query_(query), steps_(steps) {}

  // The depth of the tree has been checked (query_checks.h).
  Result<MetricValue> Evaluate(const Expr& expr) {
    VARVE_RETURN_IF_ERROR(query_.CheckAlive());
    return std::visit([this](const auto& node) { return Visit(node); }, expr.node);
  }

 private:
  Result<MetricValue> Visit(const logql::LogSelector&) {
    return InvalidArgument("a log query cannot stand where a metric is expected");
  }
  Result<MetricValue> Visit(const logql::LiteralNumber& number) { return MetricValue(number.value); }
  Result<MetricValue> Visit(const logql::VectorFunction& vector) {
    return MetricValue(Constant(vector.value, steps_.count));
  }
  Result<MetricValue> Visit(const logql::RangeAggregation& range) {
    VARVE_ASSIGN_OR_RETURN(SeriesSet series, RunRangeAggregation(query_, steps_, range, nullptr));
    return MetricValue(std::move(series));
  }
  Result<MetricValue> Visit(const logql::VectorAggregation& vector) {
    const auto* range = std::get_if<logql::RangeAggregation>(&vector.operand->node);
    if (range != nullptr && CanFuse(vector, *range)) {
      VARVE_ASSIGN_OR_RETURN(SeriesSet fused, RunRangeAggregation(query_, steps_, *range, &vector));
      return MetricValue(std::move(fused));
    }
    VARVE_ASSIGN_OR_RETURN(SeriesSet operand, EvaluateVector(*vector.operand));
    VARVE_ASSIGN_OR_RETURN(SeriesSet result,
                           AggregateVector(query_, vector, std::move(operand), steps_.count));
    return MetricValue(std::move(result));
  }
  Result<MetricValue> Visit(const logql::LabelReplace& replace) {
    VARVE_ASSIGN_OR_RETURN(SeriesSet operand, EvaluateVector(*replace.operand));
    return MetricValue(ApplyLabelReplace(replace, std::move(operand)));
  }
  Result<MetricValue> Visit(const logql::BinaryOperation& operation) {
    VARVE_ASSIGN_OR_RETURN(MetricValue left, Evaluate(*operation.left));
    VARVE_ASSIGN_OR_RETURN(MetricValue right, Evaluate(*operation.right));
    return ApplyBinary(query_, operation, std::move(left), std::move(right), steps_.count);
  }

  Result<SeriesSet> EvaluateVector(const Expr& expr) {
    VARVE_ASSIGN_OR_RETURN(MetricValue value, Evaluate(expr));
    if (const double* number = std::get_if<double>(&value)) return Constant(*number, steps_.count);
    return std::get<SeriesSet>(std::move(value));
  }

  QueryContext& query_;
  const StepGrid& steps_;
};

// Counts the final result only, so that `topk(10, …)` may look at any number of series.
Status LimitSeries(const QueryContext& query, SeriesSet* set, std::vector<std::string>* warnings) {
  const uint32_t max = query.limits().max_query_series;
  if (max == 0 || set->size() <= max) return Status::Ok();
  if (query.request().partial_series) {
    set->resize(max);
    warnings->push_back("maximum number of series (" + std::to_string(max) +
                        ") reached for a single query; returning partial results");
    return Status::Ok();
  }
  return InvalidArgument(
      "maximum number of series (" + std::to_string(max) +
      ") reached for a single query; consider reducing query cardinality by adding more specific "
      "stream selectors, reducing the time range, or aggregating results with functions like sum(), "
      "count() or topk()");
}

std::vector<ResultSeries> ToResult(const StepGrid& steps, SeriesSet set) {
  std::vector<ResultSeries> result;
  result.reserve(set.size());
  for (Series& series : set) {
    ResultSeries out;
    out.labels = std::move(series.labels);
    out.points.reserve(series.points.size());
    for (const StepPoint& point : series.points)
      out.points.push_back({ToMs(steps.TimeNs(point.step)), point.value});
    result.push_back(std::move(out));
  }
  return result;
}

}  // namespace

Result<MetricValue> EvaluateMetric(QueryContext& query, const StepGrid& steps, const Expr& expr) {
  return Evaluation(query, steps).Evaluate(expr);
}

Result<decltype(QueryResult::data)> RunMetricQuery(QueryContext& query, const Expr& expr,
                                                   std::vector<std::string>* warnings) {
  using Data = decltype(QueryResult::data);
  const bool instant = query.request().instant;
  VARVE_ASSIGN_OR_RETURN(const StepGrid steps,
                         StepGrid::Create(query.request(), query.limits().max_points_per_series));
  const bool cached = query.request().cache != nullptr && !instant && MayCache(expr);
  VARVE_ASSIGN_OR_RETURN(MetricValue value,
                         cached ? EvaluateCached(query, steps, expr, query.limits().max_query_series)
                                : EvaluateMetric(query, steps, expr));
  if (const double* number = std::get_if<double>(&value)) {
    if (instant) return Data(ScalarResult{ToMs(steps.first_ns), *number});
    return Data(MatrixResult{ToResult(steps, Constant(*number, steps.count))});
  }
  SeriesSet set = std::get<SeriesSet>(std::move(value));
  if (!instant || !ContainsSort(expr)) SortByLabels(&set);
  VARVE_RETURN_IF_ERROR(LimitSeries(query, &set, warnings));
  if (!instant) return Data(MatrixResult{ToResult(steps, std::move(set))});
  return Data(VectorResult{ToResult(steps, std::move(set))});
}

}  // namespace varve
