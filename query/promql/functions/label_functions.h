// label_replace and label_join: labels made from labels.
//
// Threads: pure functions.
#pragma once

#include "query/promql/functions/series_functions.h"

namespace varve::promql {

Result<StepMatrix> LabelReplace(const SeriesCall& call, std::vector<SeriesArgument>* args);
Result<StepMatrix> LabelJoin(const SeriesCall& call, std::vector<SeriesArgument>* args);

}  // namespace varve::promql
