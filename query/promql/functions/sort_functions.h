// sort, sort_desc, sort_by_label and sort_by_label_desc.
//
// Threads: pure functions.
#pragma once

#include <compare>
#include <string_view>

#include "query/promql/functions/series_functions.h"

namespace varve::promql {

Result<StepMatrix> Sort(const SeriesCall& call, std::vector<SeriesArgument>* args);
Result<StepMatrix> SortDesc(const SeriesCall& call, std::vector<SeriesArgument>* args);
Result<StepMatrix> SortByLabel(const SeriesCall& call, std::vector<SeriesArgument>* args);
Result<StepMatrix> SortByLabelDesc(const SeriesCall& call, std::vector<SeriesArgument>* args);

// Natural order: runs of digits compare as numbers, what is between them byte by byte; what is equal so far and ends
// first comes first. Equal: the same but for leading zeros.
std::weak_ordering CompareNaturally(std::string_view a, std::string_view b);

}  // namespace varve::promql
