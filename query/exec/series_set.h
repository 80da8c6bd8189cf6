// What metric expressions evaluate to: a number, or series with a point at some of the query's steps.
//
// A point exists only where there is something to say (there is no lookback in LogQL), so points are kept
// sparse. Order of series: sorted by labels, unless sort, sort_desc or topk put them in another; two series
// may have the same labels (label_replace can make them so).
// Threads: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "query/exec/query.h"

namespace varve {

struct StepPoint {
  uint32_t step = 0;
  double value = 0;
};

struct Series {
  LabelPairs labels;              // sorted by name; a value may be empty
  std::vector<StepPoint> points;  // ascending by step, at least one
};
using SeriesSet = std::vector<Series>;

using MetricValue = std::variant<double, SeriesSet>;

// The label's value, or "".
std::string_view LabelValue(const LabelPairs& labels, std::string_view name);

// The labels named in `names` (sorted), as far as they are present.
LabelPairs KeepLabels(const LabelPairs& labels, const std::vector<std::string>& names);
// All but the labels named in `names` (sorted).
LabelPairs DropLabels(const LabelPairs& labels, const std::vector<std::string>& names);

// Removes labels with an empty value. Operations that put label sets together do so; those that only choose
// among series leave them.
void RemoveEmptyLabels(LabelPairs* labels);

void SortByLabels(SeriesSet* series);

}  // namespace varve
