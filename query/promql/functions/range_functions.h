// Functions of a range vector that work on one series' window at a time: rate, deriv, sum_over_time and their kin.
//
// The evaluator cuts the window (left-open, prom_surface 4.3) out of a series' samples and calls the function once a
// step. Where a function can do better by knowing the window before (sums, extremes, counts), it has a sliding form.
// Threads: functions are pure; a sliding form's state belongs to one series.
#pragma once

#include <cstdint>
#include <memory>
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
  // Of the call's *first* argument, where Prometheus puts the annotations of all these functions; {0, 0} when the
  // range argument is a subquery.
  PositionRange pos;
  PositionRange call_pos;
  Annotations* notes = nullptr;
  bool type_and_unit_labels = false;
};

// kExecution: an argument the function refuses. Windows may be empty.
using RangeFunctionFn = Result<Point> (*)(const RangeCall& call, const RangeWindow& window);
// The same for a window of floats only (`window.histograms` is empty), without the cost of a Result and a Point, and
// without allocating. False: no point.
using FloatWindowFn = bool (*)(const RangeCall& call, const RangeWindow& window, double* out);

// A function over all windows of one series, faster for what it remembers from one to the next. Values are those of
// the plain form to the last bit. For series of floats only, neither anchored nor smoothed.
//   if (sliding->Begin(all)) for each step: sliding->At(call, window, &value)
class SlidingForm {
 public:
  virtual ~SlidingForm() = default;
  // Takes a series: `series` is all of its samples (without stale markers), which stay where they are until the next
  // Begin. False: nothing to gain here, call the plain form.
  virtual bool Begin(const RangeWindow& series) = 0;
  // Like FloatWindowFn. The window's columns are parts of the series' columns (the same memory); from one call to the
  // next neither end goes back.
  virtual bool At(const RangeCall& call, const RangeWindow& window, double* out) = 0;
};
using MakeSlidingFn = std::unique_ptr<SlidingForm> (*)();

struct RangeFunction {
  std::string_view name;
  RangeFunctionFn fn = nullptr;
  bool keeps_name = false;
  size_t matrix_arg = 0;  // which argument is the range vector; the others are scalars
  FloatWindowFn float_fn = nullptr;         // null: there is none
  MakeSlidingFn make_sliding = nullptr;     // null: there is none
  bool uses_starts = false;     // only then are start timestamps put into the windows
  bool takes_anchored = false;  // otherwise an anchored argument is an error (4.3)
  bool takes_smoothed = false;
  bool of_counters = false;  // NoteUnlessCounter once a series that gave floats
};

// The info that a metric is perhaps no counter, by its name or (type_and_unit_labels) its __type__ label.
void NoteUnlessCounter(const RangeCall& call);

// Null for functions of another kind (absent_over_time is a series function).
const RangeFunction* FindRangeFunction(std::string_view name);

}  // namespace varve::promql
