// Metric queries: evaluates the tree bottom up, every node over all steps at once.
//
// Threads: thread-safe.
#pragma once

#include "query/exec/query_context.h"
#include "query/exec/series_set.h"
#include "query/exec/step_grid.h"
#include "query/logql/ast.h"

namespace varve {

// The expression's value at every step. Series are in no order that matters; limits on their number are not
// applied.
Result<MetricValue> EvaluateMetric(QueryContext& query, const StepGrid& steps, const logql::Expr& expr);

// A vector or scalar for an instant query, a matrix otherwise. kInvalidArgument when the final result has
// more than limits.max_query_series series; the first of them and a warning when request.partial_series.
Result<decltype(QueryResult::data)> RunMetricQuery(QueryContext& query, const logql::Expr& expr,
                                                   std::vector<std::string>* warnings);

}  // namespace varve
