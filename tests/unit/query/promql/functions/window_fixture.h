// A window made of literals, and the call of a range function on it by name.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "query/promql/functions/range_functions.h"
#include "query/promql/values/float_histogram.h"

namespace varve::promql {

inline constexpr double kInf = std::numeric_limits<double>::infinity();
inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct TestWindow {
  std::vector<int64_t> ts_ms;
  std::vector<double> floats;
  std::vector<int64_t> starts_ms;
  std::vector<HistogramPoint> histograms;
  int64_t begin_ms = 0;
  int64_t end_ms = 0;
  int64_t eval_ms = 0;
  bool anchored = false;
  bool smoothed = false;

  RangeWindow View() const {
    RangeWindow out;
    out.ts_ms = ts_ms;
    out.floats = floats;
    out.starts_ms = starts_ms;
    out.histograms = histograms;
    out.begin_ms = begin_ms;
    out.end_ms = end_ms;
    out.range_ms = end_ms - begin_ms;
    out.eval_ms = eval_ms == 0 ? end_ms : eval_ms;
    out.anchored = anchored;
    out.smoothed = smoothed;
    return out;
  }
};

// Floats every `step_ms`, the last at `step_ms` * n; the window is (0, that].
inline TestWindow Every(int64_t step_ms, std::vector<double> floats) {
  TestWindow out;
  for (size_t i = 0; i < floats.size(); ++i) out.ts_ms.push_back(step_ms * (static_cast<int64_t>(i) + 1));
  out.end_ms = step_ms * static_cast<int64_t>(floats.size());
  out.floats = std::move(floats);
  return out;
}

inline FloatHistogramPtr TestHistogram(double count) {
  NativeHistogram native;
  native.is_float = true;
  native.float_count = count;
  native.sum = count;
  native.positive_spans = {{0, 1}};
  native.positive_counts = {count};
  return std::make_shared<const FloatHistogram>(FloatHistogram::FromNative(native));
}

struct Outcome {
  Point point;
  std::string error;
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
};

// Runs the plain form and, where the window has only floats, checks that the float form says the same.
inline Outcome CallRange(std::string_view name, const TestWindow& window, std::vector<double> scalars = {},
                         std::string_view metric = "m") {
  Outcome out;
  const RangeFunction* function = FindRangeFunction(name);
  if (function == nullptr) {
    ADD_FAILURE() << "no function " << name;
    return out;
  }
  Annotations notes;
  RangeCall call;
  call.scalars = scalars;
  call.metric_name = metric;
  call.pos = {5, 9};
  call.notes = &notes;
  Result<Point> result = function->fn(call, window.View());
  out.warnings = notes.Warnings("0123456789", 0);
  out.infos = notes.Infos("0123456789", 0);
  if (!result.ok()) {
    out.error = result.status().message();
    return out;
  }
  out.point = *result;
  if (function->float_fn != nullptr && window.histograms.empty()) {
    double value = 0;
    const bool any = function->float_fn(call, window.View(), &value);
    EXPECT_EQ(any, out.point.kind == PointKind::kFloat) << name;
    if (any && !std::isnan(value)) {
      EXPECT_EQ(value, out.point.value) << name;
    }
  }
  return out;
}

// The float a function gives; a failure when it gives none.
inline double Value(std::string_view name, const TestWindow& window, std::vector<double> scalars = {}) {
  const Outcome out = CallRange(name, window, std::move(scalars));
  EXPECT_EQ(out.point.kind, PointKind::kFloat) << name << " " << out.error;
  return out.point.value;
}
inline bool GivesNothing(std::string_view name, const TestWindow& window, std::vector<double> scalars = {}) {
  const Outcome out = CallRange(name, window, std::move(scalars));
  return out.point.kind == PointKind::kNone && out.error.empty();
}

}  // namespace varve::promql
