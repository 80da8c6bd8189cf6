// Functions of a range vector that work on one series' window at a time: rate, deriv, sum_over_time and their kin.
//
// The evaluator cuts the window (left-open, prom_surface 4.3) out of a series' samples and calls the function once a
// step. Where a function can do better by knowing the window before (sums, extremes, counts), it has a sliding form.
// Threads: functions are pure; a sliding form's state belongs to one series.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "query/promql/values/annotations.h"
#include "query/promql/values/step_column.h"

namespace varve::promql {

struct HistogramPoint {
  int64_t ts_ms = 0;
  FloatHistogramPtr histogram;
};

// The samples of one series in a window (begin_ms, end_ms], stale markers left out.
struct RangeWindow {
  std::span<const int64_t> ts_ms;  // of the floats
  std::span<const double> floats;
  std::span<const int64_t> starts_ms;  // of the floats; empty: none has a start timestamp
  std::span<const HistogramPoint> histograms;
  std::span<const int64_t> histogram_starts_ms;
  int64_t begin_ms = 0;
  int64_t end_ms = 0;
  int64_t range_ms = 0;
  int64_t eval_ms = 0;  // the step's time, without offset and @
  // For anchored and smoothed: the windows above then reach a lookback further to the left (smoothed: also to the
  // right), while begin_ms and end_ms stay the range's own.
  bool anchored = false;
  bool smoothed = false;
};

// What a function is told beside its window.
struct RangeCall {
  std::span<const double> scalars;  // its scalar arguments at this step, in order
  std::string_view metric_name;     // for annotations
  const PackedLabels* labels = nullptr;  // of the series
  PositionRange pos;                // of the call's range argument
  PositionRange call_pos;
  Annotations* notes = nullptr;
  bool type_and_unit_labels = false;
};

using RangeFunctionFn = Result<Point> (*)(const RangeCall& call, const RangeWindow& window);

// The same for a window that holds floats only (at least one) and is neither anchored nor smoothed; false: no result.
// It cannot fail and gives no annotations: where it would have to, the general form is called. Quick: once a step
// and series.
using FloatWindowFn = bool (*)(const RangeCall& call, const RangeWindow& window, double* out);

struct RangeFunction {
  std::string_view name;
  RangeFunctionFn fn = nullptr;
  bool keeps_name = false;
  size_t matrix_arg = 0;  // which argument is the range vector; the others are scalars
  FloatWindowFn float_fn = nullptr;  // null: `fn` does it all
};

// Null for functions of another kind (absent_over_time is a series function).
const RangeFunction* FindRangeFunction(std::string_view name);

}  // namespace varve::promql
