// sum, avg, count, min, max, stddev, stdvar, topk, bottomk, sort over the series of an expression.
//
// Each step is aggregated by itself. Results are sorted by group labels, except that topk, bottomk, sort and
// sort_desc order an instant query's series by value (NaN last, ties by labels). In range queries sort does
// nothing, and topk chooses per step.
// Threads: thread-safe.
#pragma once

#include "query/exec/query_context.h"
#include "query/exec/series_set.h"
#include "query/logql/ast.h"

namespace varve {

// `step_count` bounds the points' steps.
Result<SeriesSet> AggregateVector(QueryContext& query, const logql::VectorAggregation& aggregation,
                                  SeriesSet operand, uint32_t step_count);

}  // namespace varve
