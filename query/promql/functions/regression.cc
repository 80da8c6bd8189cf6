#include "query/promql/functions/regression.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "query/promql/functions/compensated_sum.h"
#include "query/promql/functions/range_notes.h"
#include "query/promql/values/number_text.h"

namespace varve::promql {
namespace {

struct Line {
  double slope = 0;
  double intercept = 0;  // the value at the origin
};

// Least squares, seconds from `origin_ms` on the x axis.
Line FitLine(const RangeWindow& window, int64_t origin_ms) {
  CompensatedSum x_sum;
  CompensatedSum y_sum;
  CompensatedSum xy_sum;
  CompensatedSum xx_sum;
  const double first = window.floats.front();
  bool constant = true;
  for (size_t i = 0; i < window.floats.size(); ++i) {
    const double y = window.floats[i];
    if (i > 0 && y != first) constant = false;
    const double x = static_cast<double>(window.ts_ms[i] - origin_ms) / 1e3;
    x_sum.Add(x);
    y_sum.Add(y);
    xy_sum.Add(x * y);
    xx_sum.Add(x * x);
  }
  if (constant) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    return std::isinf(first) ? Line{nan, nan} : Line{0, first};
  }
  const auto n = static_cast<double>(window.floats.size());
  const double x = x_sum.sum + x_sum.lost;
  const double y = y_sum.sum + y_sum.lost;
  const double covariance = (xy_sum.sum + xy_sum.lost) - x * y / n;
  const double variance = (xx_sum.sum + xx_sum.lost) - x * x / n;
  const double slope = covariance / variance;
  return {slope, y / n - slope * x / n};
}

// Go's %f.
std::string GoF(double value) { return std::isfinite(value) ? fmt::format("{:f}", value) : GoG(value); }

bool InUnitInterval(double factor) { return !(factor <= 0 || factor >= 1); }

}  // namespace

bool FloatDeriv(const RangeCall&, const RangeWindow& window, double* out) {
  if (window.floats.size() < 2) return false;
  // From the first sample on, not from the epoch: smaller numbers, less lost.
  *out = FitLine(window, window.ts_ms.front()).slope;
  return true;
}

bool FloatPredictLinear(const RangeCall& call, const RangeWindow& window, double* out) {
  if (window.floats.size() < 2) return false;
  const Line line = FitLine(window, window.eval_ms);
  *out = line.slope * call.scalars[0] + line.intercept;
  return true;
}

Result<Point> DoubleExponentialSmoothing(const RangeCall& call, const RangeWindow& window) {
  const double smoothing = call.scalars[0];
  const double trend_factor = call.scalars[1];
  if (!InUnitInterval(smoothing)) {
    return ExecutionError("invalid smoothing factor. Expected: 0 < sf < 1, got: " + GoF(smoothing));
  }
  if (!InUnitInterval(trend_factor)) {
    return ExecutionError("invalid trend factor. Expected: 0 < tf < 1, got: " + GoF(trend_factor));
  }
  const std::span<const double> v = window.floats;
  if (!v.empty() && !window.histograms.empty()) NoteIgnoredHistograms(call);
  if (v.size() < 2) return Point::None();
  double before = 0;
  double smoothed = v[0];
  double trend = v[1] - v[0];
  for (size_t i = 1; i < v.size(); ++i) {
    const double scaled = smoothing * v[i];
    if (i > 1) {
      const double moved = trend_factor * (smoothed - before);
      const double kept = (1 - trend_factor) * trend;
      trend = moved + kept;
    }
    const double expected = (1 - smoothing) * (smoothed + trend);
    before = smoothed;
    smoothed = scaled + expected;
  }
  return Point::Float(smoothed);
}

}  // namespace varve::promql
