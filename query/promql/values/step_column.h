// What an expression gives for one series at the steps of an evaluation, and the results of a whole expression.
//
// Step i is at start + i * step. A step has nothing, a float, or a native histogram. Columns are dense: most series
// have a value at most steps, and sums run over plain arrays.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/model/packed_labels.h"
#include "query/promql/values/float_histogram.h"

namespace varve::promql {

// Start, end and step of an evaluation, milliseconds. An instant query has one step: end = start, step 0.
struct StepGrid {
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  int64_t step_ms = 0;
  size_t steps() const { return step_ms == 0 ? 1 : static_cast<size_t>((end_ms - start_ms) / step_ms) + 1; }
  int64_t At(size_t step) const { return start_ms + static_cast<int64_t>(step) * step_ms; }
};

enum class PointKind : uint8_t { kNone = 0, kFloat = 1, kHistogram = 2 };

// One point, for functions that work on single values.
struct Point {
  PointKind kind = PointKind::kNone;
  double value = 0;
  FloatHistogramPtr histogram;

  static Point None() { return {}; }
  static Point Float(double v) { return {PointKind::kFloat, v, nullptr}; }
  static Point Histogram(FloatHistogramPtr h) { return {PointKind::kHistogram, 0, std::move(h)}; }
};

struct StepColumn {
  std::vector<PointKind> kinds;  // one a step
  std::vector<double> values;    // one a step; 0 where there is no float
  std::vector<FloatHistogramPtr> histograms;  // one a step, or empty: there is none

  void Resize(size_t steps) {
    kinds.assign(steps, PointKind::kNone);
    values.assign(steps, 0);
    histograms.clear();
  }
  void SetFloat(size_t step, double value) {
    kinds[step] = PointKind::kFloat;
    values[step] = value;
  }
  void SetHistogram(size_t step, FloatHistogramPtr histogram) {
    if (histograms.empty()) histograms.resize(kinds.size());
    kinds[step] = PointKind::kHistogram;
    histograms[step] = std::move(histogram);
  }
  void Set(size_t step, Point point) {
    if (point.kind == PointKind::kFloat) SetFloat(step, point.value);
    if (point.kind == PointKind::kHistogram) SetHistogram(step, std::move(point.histogram));
  }
  Point Get(size_t step) const {
    if (kinds[step] == PointKind::kHistogram) return Point::Histogram(histograms[step]);
    if (kinds[step] == PointKind::kFloat) return Point::Float(values[step]);
    return Point::None();
  }
  void Erase(size_t step) { kinds[step] = PointKind::kNone; }
};

struct StepSeries {
  PackedLabels labels;
  // With delayed name removal: the metric name is to go at the end (prom_surface 4.12).
  bool drop_name = false;
  StepColumn column;
};
using StepMatrix = std::vector<StepSeries>;

}  // namespace varve::promql
