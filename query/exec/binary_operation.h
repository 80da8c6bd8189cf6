// Arithmetic, comparison and set operations between numbers and vectors.
//
// Vectors match by labels: all of them, those of on(…), or all but those of ignoring(…). Division and modulo
// by zero are NaN, as in Loki. A comparison keeps the points for which it holds, with the vector's (the left
// vector's) value, or with `bool` gives 0 or 1 for all.
// Threads: thread-safe.
#pragma once

#include "query/exec/query_context.h"
#include "query/exec/series_set.h"
#include "query/logql/ast.h"

namespace varve {

// `step_count` bounds the points' steps. kExecution for vectors that do not match one to one (one to many).
Result<MetricValue> ApplyBinary(QueryContext& query, const logql::BinaryOperation& operation,
                                MetricValue left, MetricValue right, uint32_t step_count);

}  // namespace varve
