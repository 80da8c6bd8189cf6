// Metric queries: evaluates the tree bottom up, every node over all steps at once.
//
// Threads: thread-safe.
#pragma once

#include "query/exec/query_context.h"
#include "query/logql/ast.h"

namespace varve {

// A vector or scalar for an instant query, a matrix otherwise. kInvalidArgument when the final result has
// more than limits.max_query_series series.
Result<decltype(QueryResult::data)> RunMetricQuery(QueryContext& query, const logql::Expr& expr);

}  // namespace varve
