// Metric queries: evaluates the tree bottom up, every node over all steps at once.
//
// Threads: thread-safe.
#pragma once

#include <variant>

#include "query/exec/query_context.h"
#include "query/logql/ast.h"

namespace varve {

// A vector or scalar for an instant query, a matrix otherwise. kInvalidArgument when the final result has
// more than limits.max_query_series series.
Result<std::variant<Streams, MatrixResult, VectorResult, ScalarResult>> RunMetricQuery(QueryContext& query,
                                                                                       const logql::Expr& expr);

}  // namespace varve
