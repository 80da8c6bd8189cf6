#include "query/promql/functions/resets_changes.h"

#include <algorithm>

#include "query/promql/functions/start_timestamps.h"
#include "query/promql/values/float_histogram.h"

namespace varve::promql {
namespace {

struct Sequenced {
  int64_t ts_ms = 0;
  int64_t start_ms = kNoStartMs;
  double value = 0;
  const FloatHistogram* histogram = nullptr;  // null: a float
};

bool IsReset(const Sequenced& before, const Sequenced& after) {
  if ((before.histogram == nullptr) != (after.histogram == nullptr)) return true;
  if (IsStartReset(before.start_ms, before.ts_ms, after.start_ms, after.ts_ms)) return true;
  if (after.histogram == nullptr) return after.value < before.value;
  return after.histogram->DetectReset(*before.histogram);
}

bool IsSequencedChange(const Sequenced& before, const Sequenced& after) {
  if ((before.histogram == nullptr) != (after.histogram == nullptr)) return true;
  if (after.histogram == nullptr) return IsChange(before.value, after.value);
  return !after.histogram->Equals(*before.histogram);
}

// How many neighbours in the window `differ` says yes to.
template <typename Differ>
Result<Point> CountPairs(const RangeWindow& window, Differ differ) {
  const SequenceBegin begin = FindSequenceBegin(window);
  if (!begin.any) return Point::None();
  size_t f = begin.first_float;
  size_t h = begin.first_histogram;
  Sequenced before;
  uint64_t count = 0;
  for (bool first = true; f < window.floats.size() || h < window.histograms.size(); first = false) {
    Sequenced after;
    if (h == window.histograms.size() ||
        (f < window.floats.size() && window.ts_ms[f] < window.histograms[h].ts_ms)) {
      after = {window.ts_ms[f], window.starts_ms.empty() ? kNoStartMs : window.starts_ms[f], window.floats[f], nullptr};
      ++f;
    } else {
      after = {window.histograms[h].ts_ms, window.histogram_starts_ms.empty() ? kNoStartMs : window.histogram_starts_ms[h],
               0, window.histograms[h].histogram.get()};
      ++h;
    }
    if (!first && differ(before, after)) ++count;
    before = after;
  }
  return Point::Float(static_cast<double>(count));
}

}  // namespace

SequenceBegin FindSequenceBegin(const RangeWindow& window) {
  if (window.floats.empty() && window.histograms.empty()) return {};
  if (!window.anchored) return {true, 0, 0};
  // How many of each lie at or before the range's begin.
  const auto floats = static_cast<size_t>(
      std::upper_bound(window.ts_ms.begin(), window.ts_ms.end(), window.begin_ms) - window.ts_ms.begin());
  const auto histograms = static_cast<size_t>(
      std::upper_bound(window.histograms.begin(), window.histograms.end(), window.begin_ms,
                       [](int64_t ts_ms, const HistogramPoint& point) { return ts_ms < point.ts_ms; }) -
      window.histograms.begin());
  if (floats == window.floats.size() && histograms == window.histograms.size()) return {};
  if (floats == 0 && histograms == 0) return {true, 0, 0};
  if (histograms == 0 || (floats > 0 && window.ts_ms[floats - 1] >= window.histograms[histograms - 1].ts_ms)) {
    return {true, floats - 1, histograms};
  }
  return {true, floats, histograms - 1};
}

bool FloatResets(const RangeCall&, const RangeWindow& window, double* out) {
  const SequenceBegin begin = FindSequenceBegin(window);
  if (!begin.any) return false;
  uint64_t count = 0;
  for (size_t i = begin.first_float + 1; i < window.floats.size(); ++i) {
    bool reset = window.floats[i] < window.floats[i - 1];
    if (!reset && !window.starts_ms.empty()) {
      reset = IsStartReset(window.starts_ms[i - 1], window.ts_ms[i - 1], window.starts_ms[i], window.ts_ms[i]);
    }
    count += reset ? 1 : 0;
  }
  *out = static_cast<double>(count);
  return true;
}

bool FloatChanges(const RangeCall&, const RangeWindow& window, double* out) {
  const SequenceBegin begin = FindSequenceBegin(window);
  if (!begin.any) return false;
  uint64_t count = 0;
  for (size_t i = begin.first_float + 1; i < window.floats.size(); ++i) {
    count += IsChange(window.floats[i - 1], window.floats[i]) ? 1 : 0;
  }
  *out = static_cast<double>(count);
  return true;
}

Result<Point> Resets(const RangeCall&, const RangeWindow& window) { return CountPairs(window, IsReset); }
Result<Point> Changes(const RangeCall&, const RangeWindow& window) { return CountPairs(window, IsSequencedChange); }

}  // namespace varve::promql
