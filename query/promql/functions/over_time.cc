#include "query/promql/functions/over_time.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "query/promql/functions/compensated_sum.h"
#include "query/promql/functions/histogram_rate.h"
#include "query/promql/functions/range_notes.h"
#include "query/promql/functions/sample_quantile.h"

namespace varve::promql {
namespace {

constexpr size_t kScratchKeptMax = 1 << 16;  // doubles; more is given back after use

// A copy of the window's values that may be reordered, in memory that the thread keeps.
class Scratch {
 public:
  explicit Scratch(std::span<const double> values) { kept_.assign(values.begin(), values.end()); }
  ~Scratch() {
    if (kept_.capacity() > kScratchKeptMax) std::vector<double>().swap(kept_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::span<double> values() { return kept_; }

 private:
  static thread_local std::vector<double> kept_;
};
thread_local std::vector<double> Scratch::kept_;

// Population variance by Welford's recurrence.
double Variance(std::span<const double> values) {
  double count = 0;
  CompensatedSum mean;
  CompensatedSum squares;
  for (const double value : values) {
    ++count;
    const double delta = value - (mean.sum + mean.lost);
    mean.Add(delta / count);
    squares.Add(delta * (value - (mean.sum + mean.lost)));
  }
  return (squares.sum + squares.lost) / count;
}

// The index of the extreme value; NaN only counts when there is nothing else. `beats`: of a value and the best so far.
template <typename Beats>
size_t Extreme(std::span<const double> values, Beats beats) {
  size_t best = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (beats(values[i], values[best]) || std::isnan(values[best])) best = i;
  }
  return best;
}

double TimeAt(const RangeWindow& window, size_t i) { return static_cast<double>(window.ts_ms[i]) / 1000; }

}  // namespace

bool SumFloats(const RangeCall&, const RangeWindow& window, double* out) {
  if (window.floats.empty()) return false;
  CompensatedSum sum;
  for (const double value : window.floats) sum.Add(value);
  *out = sum.Total();
  return true;
}

bool AvgFloats(const RangeCall&, const RangeWindow& window, double* out) {
  const std::span<const double> v = window.floats;
  if (v.empty()) return false;
  CompensatedSum sum{v[0], 0};
  size_t i = 1;
  for (; i < v.size(); ++i) {
    CompensatedSum next = sum;
    next.Add(v[i]);
    if (std::isinf(next.sum)) break;
    sum = next;
  }
  if (i == v.size()) {
    const auto n = static_cast<double>(v.size());
    *out = sum.sum / n + sum.lost / n;
    return true;
  }
  // The sum overflows; the mean does not: from here on it is moved towards each value.
  const auto summed = static_cast<double>(i);
  CompensatedSum mean{sum.sum / summed, sum.lost / summed};
  for (; i < v.size(); ++i) {
    const auto count = static_cast<double>(i + 1);
    const double kept = (count - 1) / count;
    mean.sum *= kept;
    mean.lost *= kept;
    mean.Add(v[i] / count);
  }
  *out = mean.sum + mean.lost;
  return true;
}

bool MinFloats(const RangeCall&, const RangeWindow& window, double* out) {
  if (window.floats.empty()) return false;
  double least = window.floats[0];
  for (const double value : window.floats) {
    if (value < least || std::isnan(least)) least = value;
  }
  *out = least;
  return true;
}

bool MaxFloats(const RangeCall&, const RangeWindow& window, double* out) {
  if (window.floats.empty()) return false;
  double most = window.floats[0];
  for (const double value : window.floats) {
    if (value > most || std::isnan(most)) most = value;
  }
  *out = most;
  return true;
}

bool CountFloats(const RangeCall&, const RangeWindow& window, double* out) {
  *out = static_cast<double>(window.floats.size());
  return !window.floats.empty();
}

bool PresentFloats(const RangeCall&, const RangeWindow& window, double* out) {
  *out = 1;
  return !window.floats.empty();
}

bool FirstFloat(const RangeCall&, const RangeWindow& window, double* out) {
  if (window.floats.empty()) return false;
  *out = window.floats.front();
  return true;
}

bool LastFloat(const RangeCall&, const RangeWindow& window, double* out) {
  if (window.floats.empty()) return false;
  *out = window.floats.back();
  return true;
}

bool StddevFloats(const RangeCall&, const RangeWindow& window, double* out) {
  if (window.floats.empty()) return false;
  *out = std::sqrt(Variance(window.floats));
  return true;
}

bool StdvarFloats(const RangeCall&, const RangeWindow& window, double* out) {
  if (window.floats.empty()) return false;
  *out = Variance(window.floats);
  return true;
}

bool QuantileFloats(const RangeCall& call, const RangeWindow& window, double* out) {
  if (window.floats.empty()) return false;
  const double quantile = call.scalars[0];
  if (std::isnan(quantile) || quantile < 0 || quantile > 1) NoteInvalidQuantile(call, quantile);
  Scratch scratch(window.floats);
  *out = SampleQuantile(quantile, scratch.values());
  return true;
}

bool MadFloats(const RangeCall&, const RangeWindow& window, double* out) {
  if (window.floats.empty()) return false;
  if (std::any_of(window.floats.begin(), window.floats.end(), [](double value) { return std::isnan(value); })) {
    *out = std::numeric_limits<double>::quiet_NaN();
    return true;
  }
  Scratch scratch(window.floats);
  const double median = SampleQuantile(0.5, scratch.values());
  for (double& value : scratch.values()) value = std::fabs(value - median);
  *out = SampleQuantile(0.5, scratch.values());
  return true;
}

bool TimeOfMinFloat(const RangeCall&, const RangeWindow& window, double* out) {
  if (window.floats.empty()) return false;
  *out = TimeAt(window, Extreme(window.floats, [](double value, double best) { return value <= best; }));
  return true;
}

bool TimeOfMaxFloat(const RangeCall&, const RangeWindow& window, double* out) {
  if (window.floats.empty()) return false;
  *out = TimeAt(window, Extreme(window.floats, [](double value, double best) { return value >= best; }));
  return true;
}

bool TimeOfFirstFloat(const RangeCall&, const RangeWindow& window, double* out) {
  if (window.floats.empty()) return false;
  *out = TimeAt(window, 0);
  return true;
}

bool TimeOfLastFloat(const RangeCall&, const RangeWindow& window, double* out) {
  if (window.floats.empty()) return false;
  *out = TimeAt(window, window.floats.size() - 1);
  return true;
}

Result<Point> SumOverTime(const RangeCall& call, const RangeWindow& window) {
  if (window.histograms.empty()) {
    double value = 0;
    return SumFloats(call, window, &value) ? Point::Float(value) : Point::None();
  }
  if (window.floats.empty()) return HistogramOverTime(call, window, HistogramFold::Kind::kSum);
  NoteMixedKinds(call);
  return Point::None();
}

Result<Point> AvgOverTime(const RangeCall& call, const RangeWindow& window) {
  if (window.histograms.empty()) {
    double value = 0;
    return AvgFloats(call, window, &value) ? Point::Float(value) : Point::None();
  }
  if (window.floats.empty()) return HistogramOverTime(call, window, HistogramFold::Kind::kMean);
  NoteMixedKinds(call);
  return Point::None();
}

Result<Point> CountOverTime(const RangeCall&, const RangeWindow& window) {
  const size_t samples = window.floats.size() + window.histograms.size();
  return samples == 0 ? Point::None() : Point::Float(static_cast<double>(samples));
}

Result<Point> PresentOverTime(const RangeCall&, const RangeWindow& window) {
  return window.floats.empty() && window.histograms.empty() ? Point::None() : Point::Float(1);
}

Result<Point> FirstOverTime(const RangeCall&, const RangeWindow& window) {
  const bool has_float = !window.floats.empty();
  if (window.histograms.empty()) return has_float ? Point::Float(window.floats.front()) : Point::None();
  const HistogramPoint& histogram = window.histograms.front();
  if (has_float && window.ts_ms.front() < histogram.ts_ms) return Point::Float(window.floats.front());
  return Point::Histogram(histogram.histogram);
}

Result<Point> LastOverTime(const RangeCall&, const RangeWindow& window) {
  const bool has_float = !window.floats.empty();
  if (window.histograms.empty()) return has_float ? Point::Float(window.floats.back()) : Point::None();
  const HistogramPoint& histogram = window.histograms.back();
  if (has_float && histogram.ts_ms < window.ts_ms.back()) return Point::Float(window.floats.back());
  return Point::Histogram(histogram.histogram);
}

Result<Point> TimeOfFirstOverTime(const RangeCall&, const RangeWindow& window) {
  if (window.floats.empty() && window.histograms.empty()) return Point::None();
  int64_t first_ms = std::numeric_limits<int64_t>::max();
  if (!window.floats.empty()) first_ms = window.ts_ms.front();
  if (!window.histograms.empty()) first_ms = std::min(first_ms, window.histograms.front().ts_ms);
  return Point::Float(static_cast<double>(first_ms) / 1000);
}

Result<Point> TimeOfLastOverTime(const RangeCall&, const RangeWindow& window) {
  if (window.floats.empty() && window.histograms.empty()) return Point::None();
  int64_t last_ms = std::numeric_limits<int64_t>::min();
  if (!window.floats.empty()) last_ms = window.ts_ms.back();
  if (!window.histograms.empty()) last_ms = std::max(last_ms, window.histograms.back().ts_ms);
  return Point::Float(static_cast<double>(last_ms) / 1000);
}

}  // namespace varve::promql
