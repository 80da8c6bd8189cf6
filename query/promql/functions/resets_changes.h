// resets and changes: how often a series' samples, floats and histograms merged by time, fall or differ.
//
// Threads: pure functions.
#pragma once

#include <cmath>

#include "query/promql/functions/range_functions.h"

namespace varve::promql {

bool FloatResets(const RangeCall& call, const RangeWindow& window, double* out);
bool FloatChanges(const RangeCall& call, const RangeWindow& window, double* out);
Result<Point> Resets(const RangeCall& call, const RangeWindow& window);
Result<Point> Changes(const RangeCall& call, const RangeWindow& window);

inline bool IsChange(double before, double after) {
  return before != after && !(std::isnan(before) && std::isnan(after));
}

// Where a window's sequence begins: at the first float and the first histogram or, anchored, at the last sample at
// or before the range's begin and what follows it.
struct SequenceBegin {
  bool any = false;  // false: nothing lies inside the range
  size_t first_float = 0;
  size_t first_histogram = 0;
};
SequenceBegin FindSequenceBegin(const RangeWindow& window);

}  // namespace varve::promql
