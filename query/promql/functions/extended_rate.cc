#include "query/promql/functions/extended_rate.h"

#include <algorithm>

namespace varve::promql {
namespace {

// The samples that matter for the range (begin_ms, end_ms]: from the last one at or before its begin (else the first
// inside) to the last one inside, or, smoothed, the first at or behind its end.
struct ExtendedRange {
  bool any = false;  // false: no sample says anything about the range
  size_t first = 0;
  size_t last = 0;
};

ExtendedRange FindExtendedRange(const RangeWindow& window) {
  const std::span<const int64_t> ts = window.ts_ms;
  const auto last_but_one = ts.end() - 1;  // searches that find nothing before end at the last sample
  ExtendedRange out;
  const auto behind = std::upper_bound(ts.begin(), last_but_one, window.begin_ms) - ts.begin();
  out.first = behind == 0 ? 0 : static_cast<size_t>(behind) - 1;
  out.last = ts.size() - 1;
  if (window.smoothed) {
    out.last = static_cast<size_t>(std::lower_bound(ts.begin(), last_but_one, window.end_ms) - ts.begin());
  }
  out.any = ts[out.last] > window.begin_ms && !(window.smoothed && ts[out.first] > window.end_ms);
  return out;
}

// The value at `ts_ms`, between samples i and i + 1; a counter that fell between them began at zero.
double Interpolate(const RangeWindow& window, size_t i, int64_t ts_ms, bool counter) {
  double y1 = window.floats[i];
  const double y2 = window.floats[i + 1];
  if (counter && y2 < y1) y1 = 0;
  return y1 + (y2 - y1) * static_cast<double>(ts_ms - window.ts_ms[i]) /
                  static_cast<double>(window.ts_ms[i + 1] - window.ts_ms[i]);
}

// What resets hide on the way from `left` over the samples [begin, end) to `right`.
double Correction(const RangeWindow& window, size_t begin, size_t end, double left, double right) {
  double correction = 0;
  double previous = left;
  for (size_t i = begin; i < end; ++i) {
    if (window.floats[i] < previous) correction += previous;
    previous = window.floats[i];
  }
  if (right < previous) correction += previous;
  return correction;
}

}  // namespace

bool ExtendedFloatRate(const RangeWindow& window, RateTraits traits, double* out) {
  const ExtendedRange range = FindExtendedRange(window);
  if (!range.any) return false;
  double left = window.floats[range.first];
  if (window.smoothed && window.ts_ms[range.first] < window.begin_ms) {
    left = Interpolate(window, range.first, window.begin_ms, traits.counter);
  }
  double right = window.floats[range.last];
  if (window.smoothed && range.last > 0 && window.ts_ms[range.last] > window.end_ms) {
    right = Interpolate(window, range.last - 1, window.end_ms, traits.counter);
  }
  double value = right - left;
  if (traits.counter) {
    // Samples strictly inside: those at the ends have been looked at above.
    const size_t begin = range.first + (window.ts_ms[range.first] <= window.begin_ms ? 1 : 0);
    const size_t end = range.last + (window.ts_ms[range.last] >= window.end_ms ? 0 : 1);
    value += Correction(window, begin, end, left, right);
  }
  if (traits.per_second) value /= Seconds(window.range_ms);
  *out = value;
  return true;
}

}  // namespace varve::promql
