// absent and absent_over_time: one element where there is nothing.
//
// Threads: pure functions.
#pragma once

#include "query/promql/functions/series_functions.h"

namespace varve::promql {

Result<StepMatrix> Absent(const SeriesCall& call, std::vector<SeriesArgument>* args);
Result<StepMatrix> AbsentOverTime(const SeriesCall& call, std::vector<SeriesArgument>* args);

}  // namespace varve::promql
