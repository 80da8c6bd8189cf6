// Range aggregations: `rate({…} | … [5m])` and its kin.
//
// One task a source. Each row goes once into the cell of (its series, its elementary interval); windows are
// put together at the end (window_accumulators.h). Work that can be avoided is:
//   - whole slices are counted from the snapshot alone where counts are exact, the slice lies within one
//     interval, cannot hold duplicates and its metadata does not matter;
//   - counting otherwise reads timestamps, byte sums lengths too, lines only when the pipeline wants them;
//   - metadata is read only where the series depends on it;
//   - an outer sum (min, max) that only regroups is done here, row by row, so that the series in between
//     never exist.
// Threads: thread-safe.
#pragma once

#include <optional>

#include "query/exec/query_context.h"
#include "query/exec/series_set.h"
#include "query/exec/step_grid.h"
#include "query/logql/ast.h"

namespace varve {

// Whether `outer` over `inner` can be computed as `inner` under the outer's grouping.
bool CanFuse(const logql::VectorAggregation& outer, const logql::RangeAggregation& inner);

// `outer` is an aggregation that CanFuse accepted, or null. The series are sorted by labels.
Result<SeriesSet> RunRangeAggregation(QueryContext& query, const StepGrid& steps,
                                      const logql::RangeAggregation& aggregation,
                                      const logql::VectorAggregation* outer);

}  // namespace varve
