// Windows of floats. An increase is last - first plus what each reset hides; it is then stretched from the sampled
// interval to the window, by half a sample distance where the series seems to begin or end inside:
//
//   begin_ms   first                         last   end_ms
//      |--to_start--|------- sampled ---------|--to_end--|      factor = (to_start + sampled + to_end) / sampled
//
// The order of operations is Prometheus's: the last bit shows in answers.
#include "query/promql/functions/rate.h"

#include <algorithm>

#include "query/promql/functions/extended_rate.h"
#include "query/promql/functions/histogram_rate.h"
#include "query/promql/functions/start_timestamps.h"
#include "query/promql/functions/range_notes.h"

namespace varve::promql {
namespace {

// The value of a counter or gauge between two samples; a counter that fell began at zero.
double InstantValue(const RangeWindow& window, bool per_second_of_counter) {
  const size_t last = window.floats.size() - 1;
  const double before = window.floats[last - 1];
  const double after = window.floats[last];
  const bool starts = !window.starts_ms.empty();
  bool reset = false;
  if (per_second_of_counter) {
    reset = after < before ||
            (starts && IsStartReset(window.starts_ms[last - 1], window.ts_ms[last - 1], window.starts_ms[last],
                                    window.ts_ms[last]));
  }
  const double value = reset ? after : after - before;
  if (!per_second_of_counter) return value;
  return value / (static_cast<double>(window.ts_ms[last] - window.ts_ms[last - 1]) / 1000);
}

bool FloatInstant(const RangeWindow& window, bool counter, double* out) {
  const size_t n = window.floats.size();
  if (n < 2 || window.ts_ms[n - 1] == window.ts_ms[n - 2]) return false;
  *out = InstantValue(window, counter);
  return true;
}

// What is to be added to last - first for the resets between them; in the samples' order.
double WithResets(const RangeCall& call, const RangeWindow& window, double increase) {
  const std::span<const double> v = window.floats;
  if (window.starts_ms.empty()) {
    for (size_t i = 1; i < v.size(); ++i) {
      if (v[i] < v[i - 1]) increase += v[i - 1];
    }
    return increase;
  }
  bool told = false;
  for (size_t i = 1; i < v.size(); ++i) {
    const int64_t before_ms = window.ts_ms[i - 1];
    if (!told && StartsOverlap(window.starts_ms[i - 1], before_ms, window.starts_ms[i])) {
      NoteStartOverlap(call);
      told = true;
    }
    if (v[i] < v[i - 1] ||
        IsStartReset(window.starts_ms[i - 1], before_ms, window.starts_ms[i], window.ts_ms[i])) {
      increase += v[i - 1];
    }
  }
  return increase;
}

bool FloatRateOf(const RangeCall& call, const RangeWindow& window, RateTraits traits, double* out) {
  if (window.floats.empty()) return false;
  if (window.anchored || window.smoothed) return ExtendedFloatRate(window, traits, out);
  double increase = window.floats.back() - window.floats.front();
  if (traits.counter) increase = WithResets(call, window, increase);
  return FinishFloatRate(window, traits, increase, out);
}

Result<Point> RateOf(const RangeCall& call, const RangeWindow& window, RateTraits traits) {
  if (!window.histograms.empty()) {
    if (!window.floats.empty()) {
      NoteMixedKinds(call);
      return Point::None();
    }
    return HistogramRate(call, window, traits);
  }
  double value = 0;
  return FloatRateOf(call, window, traits, &value) ? Point::Float(value) : Point::None();
}

// Of the last two samples of a window, whatever they are.
Result<Point> InstantOf(const RangeCall& call, const RangeWindow& window, RateTraits traits) {
  const std::span<const HistogramPoint> h = window.histograms;
  const size_t floats = window.floats.size();
  // How many of the last two are histograms.
  size_t histograms = 0;
  while (histograms < std::min<size_t>(2, h.size())) {
    const int64_t ts_ms = h[h.size() - 1 - histograms].ts_ms;
    const size_t floats_behind = 2 - histograms;
    if (floats >= floats_behind && window.ts_ms[floats - floats_behind] > ts_ms) break;
    ++histograms;
  }
  if (histograms == 0) {
    double value = 0;
    return FloatInstant(window, traits.counter, &value) ? Point::Float(value) : Point::None();
  }
  if (floats + h.size() < 2) return Point::None();
  if (histograms == 1) {
    NoteMixedKinds(call);
    return Point::None();
  }
  const auto sample = [&](size_t i) {
    const int64_t start_ms = window.histogram_starts_ms.empty() ? kNoStartMs : window.histogram_starts_ms[i];
    return InstantSample{h[i].ts_ms, start_ms, h[i].histogram};
  };
  return HistogramInstantDelta(call, sample(h.size() - 2), sample(h.size() - 1), traits);
}

}  // namespace

double Seconds(int64_t ms) {
  return static_cast<double>(ms / 1000) + static_cast<double>(ms % 1000 * 1'000'000) / 1e9;
}

bool FinishFloatRate(const RangeWindow& window, RateTraits traits, double increase, double* out) {
  const int64_t first_ms = window.ts_ms.front();
  const int64_t last_ms = window.ts_ms.back();
  const size_t n = window.floats.size();
  double to_start = static_cast<double>(first_ms - window.begin_ms) / 1000;
  double to_end = static_cast<double>(window.end_ms - last_ms) / 1000;
  double sampled = static_cast<double>(last_ms - first_ms) / 1000;
  const double distance = n > 1 ? sampled / static_cast<double>(n - 1) : 0;
  const double threshold = distance * 1.1;
  const int64_t start_ms = window.starts_ms.empty() ? kNoStartMs : window.starts_ms.front();
  if (traits.counter && start_ms != kNoStartMs && start_ms > window.begin_ms && start_ms < first_ms) {
    // The counter began inside the window, at zero.
    to_start = 0;
    sampled = static_cast<double>(last_ms - start_ms) / 1000;
    increase += window.floats.front();
  } else if (n < 2) {
    return false;
  } else {
    if (to_start >= threshold) to_start = distance / 2;
    if (traits.counter && increase > 0 && window.floats.front() >= 0) {
      // Never back to before the counter was zero.
      const double to_zero = sampled * (window.floats.front() / increase);
      if (to_zero < to_start) to_start = to_zero;
    }
  }
  if (to_end >= threshold) to_end = distance / 2;
  double factor = 1;
  if (sampled != 0) factor = (sampled + to_start + to_end) / sampled;
  if (traits.per_second) factor /= Seconds(window.range_ms);
  *out = increase * factor;
  return true;
}

bool FloatRate(const RangeCall& call, const RangeWindow& window, double* out) {
  return FloatRateOf(call, window, {.counter = true, .per_second = true}, out);
}
bool FloatIncrease(const RangeCall& call, const RangeWindow& window, double* out) {
  return FloatRateOf(call, window, {.counter = true, .per_second = false}, out);
}
bool FloatDelta(const RangeCall& call, const RangeWindow& window, double* out) {
  return FloatRateOf(call, window, {.counter = false, .per_second = false}, out);
}
bool FloatIrate(const RangeCall&, const RangeWindow& window, double* out) { return FloatInstant(window, true, out); }
bool FloatIdelta(const RangeCall&, const RangeWindow& window, double* out) {
  return FloatInstant(window, false, out);
}

Result<Point> Rate(const RangeCall& call, const RangeWindow& window) {
  return RateOf(call, window, {.counter = true, .per_second = true});
}
Result<Point> Increase(const RangeCall& call, const RangeWindow& window) {
  return RateOf(call, window, {.counter = true, .per_second = false});
}
Result<Point> Delta(const RangeCall& call, const RangeWindow& window) {
  return RateOf(call, window, {.counter = false, .per_second = false});
}

Result<Point> Irate(const RangeCall& call, const RangeWindow& window) {
  return InstantOf(call, window, {.counter = true, .per_second = true});
}
Result<Point> Idelta(const RangeCall& call, const RangeWindow& window) {
  return InstantOf(call, window, {.counter = false, .per_second = false});
}

}  // namespace varve::promql
