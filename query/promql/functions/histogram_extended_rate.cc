#include "query/promql/functions/histogram_extended_rate.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "query/promql/functions/histogram_rate.h"
#include "query/promql/functions/range_notes.h"

namespace varve::promql {
namespace {

// The samples that matter for the range (begin_ms, end_ms]: from the last one at or before its begin (else the first
// inside) to the last one inside, or, smoothed, the first at or behind its end.
struct Samples {
  size_t first = 0;
  size_t last = 0;
};

std::optional<Samples> FindSamples(const RangeWindow& window) {
  const std::span<const HistogramPoint> h = window.histograms;
  const auto last_but_one = h.end() - 1;  // searches that find nothing before end at the last sample
  const auto behind = std::partition_point(h.begin(), last_but_one, [&](const HistogramPoint& point) {
                        return point.ts_ms <= window.begin_ms;
                      }) - h.begin();
  Samples out{behind == 0 ? 0 : static_cast<size_t>(behind) - 1, h.size() - 1};
  if (window.smoothed) {
    const auto end = std::partition_point(h.begin(), last_but_one, [&](const HistogramPoint& point) {
      return point.ts_ms < window.end_ms;
    });
    out.last = static_cast<size_t>(end - h.begin());
    if (h[out.first].ts_ms > window.end_ms) return std::nullopt;
  }
  if (h[out.last].ts_ms <= window.begin_ms) return std::nullopt;
  return out;
}

// False: exponential and custom buckets.
bool CheckSamples(const RangeCall& call, std::span<const HistogramPoint> samples, bool counter) {
  for (const HistogramPoint& sample : samples) {
    if (sample.histogram->is_custom() != samples.front().histogram->is_custom()) {
      NoteMixedSchemas(call);
      return false;
    }
    if (counter && sample.histogram->is_gauge()) NoteNotACounter(call);
  }
  return true;
}

// False: they do not go together.
bool AddTo(const RangeCall& call, const FloatHistogram& other, FloatHistogram* sum) {
  const HistogramOpNotes notes = sum->Add(other);
  if (notes.incompatible) NoteMixedSchemas(call);
  if (notes.bounds_reconciled) NoteReconciledBounds(call, "addition");
  return !notes.incompatible;
}

// Adds to `result` what resets hide between `left` and `right`, the histograms at the range's ends.
bool AddCorrection(const RangeCall& call, const RangeWindow& window, const Samples& samples,
                   const FloatHistogramPtr& left, const FloatHistogramPtr& right, FloatHistogram* result) {
  const std::span<const HistogramPoint> h = window.histograms;
  size_t at = samples.first + 1;
  FloatHistogramPtr before = left;
  if (window.smoothed && h[samples.first].ts_ms < window.begin_ms &&
      h[at].histogram->DetectReset(*h[samples.first].histogram)) {
    // The reset lies where `left` was interpolated, and is in it already.
    before = h[at].histogram;
    ++at;
  }
  if (at > samples.last) return true;
  std::optional<FloatHistogram> correction;
  const auto step_to = [&](const FloatHistogramPtr& now) {
    bool ok = true;
    if (now->DetectReset(*before)) {
      if (correction) {
        ok = AddTo(call, *before, &*correction);
      } else {
        correction = *before;
      }
    }
    before = now;
    return ok;
  };
  for (; at < samples.last; ++at) {
    if (!step_to(h[at].histogram)) return false;
  }
  // The last sample is looked at as `right` only: its hint would say reset twice.
  if (!step_to(right)) return false;
  return !correction || AddTo(call, *correction, result);
}

}  // namespace

Point ExtendedHistogramRate(const RangeCall& call, const RangeWindow& window, RateTraits traits) {
  const std::optional<Samples> samples = FindSamples(window);
  if (!samples) return Point::None();
  const std::span<const HistogramPoint> h = window.histograms;
  const size_t count = samples->last < samples->first ? 0 : samples->last - samples->first + 1;
  if (count == 0 || !CheckSamples(call, h.subspan(samples->first, count), traits.counter)) return Point::None();

  FloatHistogramPtr left = h[samples->first].histogram;
  if (window.smoothed && h[samples->first].ts_ms < window.begin_ms) {
    left = InterpolateHistograms(h[samples->first], h[samples->first + 1], window.begin_ms, traits.counter,
                                 call.metric_name, call.pos, call.notes);
  }
  FloatHistogramPtr right = h[samples->last].histogram;
  if (window.smoothed && samples->last > 0 && h[samples->last].ts_ms > window.end_ms) {
    right = InterpolateHistograms(h[samples->last - 1], h[samples->last], window.end_ms, traits.counter,
                                  call.metric_name, call.pos, call.notes);
  }
  if (left == nullptr || right == nullptr) return Point::None();
  if (!traits.counter && (!left->is_gauge() || !right->is_gauge())) NoteNotAGauge(call);

  FloatHistogram result = *right;
  const HistogramOpNotes notes = result.Sub(*left);
  if (notes.incompatible) NoteMixedSchemas(call);
  if (notes.incompatible) return Point::None();
  if (notes.bounds_reconciled) NoteReconciledBounds(call, "subtraction");
  if (traits.counter && !AddCorrection(call, window, *samples, left, right, &result)) return Point::None();
  if (traits.per_second) result.Div(Seconds(window.range_ms));
  result.set_hint(CounterResetHint::kGauge);
  result.Compact();
  return Point::Histogram(std::make_shared<const FloatHistogram>(std::move(result)));
}

FloatHistogramPtr InterpolateHistograms(const HistogramPoint& before, const HistogramPoint& after, int64_t ts_ms,
                                        bool is_counter, std::string_view metric_name, PositionRange pos,
                                        Annotations* notes) {
  if (ts_ms == before.ts_ms) return before.histogram;
  if (ts_ms == after.ts_ms) return after.histogram;
  RangeCall call;
  call.metric_name = metric_name;
  call.pos = pos;
  call.notes = notes;
  const double part =
      static_cast<double>(ts_ms - before.ts_ms) / static_cast<double>(after.ts_ms - before.ts_ms);
  if (before.histogram->is_custom() != after.histogram->is_custom()) {
    NoteMixedSchemas(call);
    return nullptr;
  }
  FloatHistogram result = *after.histogram;
  if (is_counter && after.histogram->DetectReset(*before.histogram)) {
    // It grew from nothing.
    result.Mul(part);
    return std::make_shared<const FloatHistogram>(std::move(result));
  }
  const HistogramOpNotes sub = result.Sub(*before.histogram);
  if (sub.incompatible) {
    NoteMixedSchemas(call);
    return nullptr;
  }
  if (sub.bounds_reconciled) NoteReconciledBounds(call, "subtraction");
  result.Mul(part);
  if (result.Add(*before.histogram).bounds_reconciled) NoteReconciledBounds(call, "addition");
  return std::make_shared<const FloatHistogram>(std::move(result));
}

}  // namespace varve::promql
