// label_replace and label_join: labels made from labels.
//
// Threads: pure functions.
#pragma once

#include "query/promql/functions/series_functions.h"

namespace varve::promql {

// A longer value fails the query.
inline constexpr size_t kLabelValueBytesMax = 1 << 20;

// kResourceExhausted: the budget has no room for the labels.
Result<StepMatrix> LabelReplace(const SeriesCall& call, std::vector<SeriesArgument>* args);
Result<StepMatrix> LabelJoin(const SeriesCall& call, std::vector<SeriesArgument>* args);

}  // namespace varve::promql
