// Metric range queries answered in part from the result cache; the rest is evaluated and kept.
//
// Every step of a metric query depends on its own windows alone, so an answer can be cut between any two
// steps and joined again. The rules that keep the joined answer equal to the one evaluated at once:
//   - an extent is used only while the engine's number for all it was computed from stands: the windows of
//   its
//     steps, of every range aggregation of the query;
//   - a query whose answer depends on the clock (a template with `now`), or whose series cannot be told apart
//   by
//     their labels (label_replace that no aggregation encloses), does not come here;
//   - neighbouring extents that are missing are evaluated as one run, and so is what lies between two of them
//     when it is shorter than the longest range, which would have to be read twice;
//   - an error is always that of the whole query: RunQuery then evaluates it again, without the cache;
//   - limits on bytes and series look at the whole query. Series are limited after joining; an answer over
//   the
//     limit is not kept.
// Not cached: instant queries (their time is hardly ever the same) and log queries (their cost is bounded by
// the limit). Threads: thread-safe.
#pragma once

#include "query/exec/query_context.h"
#include "query/exec/result_cache.h"
#include "query/exec/series_set.h"
#include "query/exec/step_grid.h"
#include "query/logql/ast.h"

namespace varve {

// Whether answers of the expression may be kept. Such an expression reads something.
bool MayCache(const logql::Expr& expr);

// What EvaluateMetric would answer, from `request.cache` as far as possible. `expr` is one that MayCache
// accepts, the request a range query with a cache. What was evaluated is kept when the answer has at most
// `series_max` series (0: any number).
Result<MetricValue> EvaluateCached(QueryContext& query, const StepGrid& steps, const logql::Expr& expr,
                                   uint32_t series_max);

}  // namespace varve
