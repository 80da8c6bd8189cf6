// Windows of native histograms; the counterpart of rate.cc, bucket by bucket. Whether a counter was reset is
// FloatHistogram::DetectReset's business, or the start timestamps'.
#include "query/promql/functions/histogram_rate.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "query/promql/functions/histogram_extended_rate.h"
#include "query/promql/functions/range_notes.h"
#include "query/promql/functions/start_timestamps.h"

namespace varve::promql {
namespace {

int64_t StartOf(const RangeWindow& window, size_t i) {
  return window.histogram_starts_ms.empty() ? kNoStartMs : window.histogram_starts_ms[i];
}

bool StartedAnew(const RangeWindow& window, size_t i) {
  return !window.histogram_starts_ms.empty() &&
         IsStartReset(StartOf(window, i - 1), window.histograms[i - 1].ts_ms, StartOf(window, i),
                      window.histograms[i].ts_ms);
}

// What the window's samples have in common, as far as an increase looks at them.
struct Layout {
  FloatHistogramPtr first;  // an empty one where the first sample does not matter
  int32_t schema = 0;
};

// Nothing, with `mixed` set: exponential and custom buckets. Takes at least two samples.
std::optional<Layout> FindLayout(const RangeCall& call, const RangeWindow& window, bool counter) {
  const std::span<const HistogramPoint> points = window.histograms;
  const FloatHistogram& last = *points.back().histogram;
  Layout layout{points.front().histogram, 0};
  if (counter && (layout.first->is_gauge() || last.is_gauge())) NoteNotACounter(call);
  if (counter && (StartedAnew(window, 1) || points[1].histogram->DetectReset(*layout.first))) {
    // Its buckets do not count; those of another kind do no harm.
    layout.first = std::make_shared<const FloatHistogram>(points[1].histogram->EmptyLike());
  }
  const bool custom = layout.first->is_custom();
  bool mixed = last.is_custom() != custom;
  layout.schema = std::min(last.schema(), layout.first->schema());
  if (!mixed && counter) {
    for (const HistogramPoint& point : points.subspan(1, points.size() - 2)) {
      if (point.histogram->is_gauge()) NoteNotACounter(call);
      layout.schema = std::min(layout.schema, point.histogram->schema());
      mixed = mixed || point.histogram->is_custom() != custom;
    }
  }
  if (!mixed) return layout;
  NoteMixedSchemas(call);
  return std::nullopt;
}

// Last - first, and what resets between them hide.
std::optional<FloatHistogram> Difference(const RangeCall& call, const RangeWindow& window, bool counter) {
  std::optional<Layout> layout = FindLayout(call, window, counter);
  if (!layout) return std::nullopt;
  const std::span<const HistogramPoint> points = window.histograms;
  FloatHistogram difference = points.back().histogram->CopyToSchema(layout->schema);
  if (difference.Sub(*layout->first).bounds_reconciled) NoteReconciledBounds(call, "subtraction");
  if (counter) {
    bool told = false;
    FloatHistogramPtr before = layout->first;
    for (size_t i = 1; i < points.size(); ++i) {
      if (!told && StartsOverlap(StartOf(window, i - 1), points[i - 1].ts_ms, StartOf(window, i))) {
        NoteStartOverlap(call);
        told = true;
      }
      const FloatHistogramPtr& now = points[i].histogram;
      if (StartedAnew(window, i) || now->DetectReset(*before)) {
        if (difference.Add(*before).bounds_reconciled) NoteReconciledBounds(call, "addition");
      }
      before = now;
    }
  } else if (!points.front().histogram->is_gauge() || !points.back().histogram->is_gauge()) {
    NoteNotAGauge(call);
  }
  difference.set_hint(CounterResetHint::kGauge);
  return difference.Compact();
}

// How far beyond the samples the window reaches that the series fills.
struct Extrapolation {
  double sampled = 0;
  double to_start = 0;
  double to_end = 0;
  double Factor() const { return sampled == 0 ? 1 : (sampled + to_start + to_end) / sampled; }
};

}  // namespace

Point HistogramRate(const RangeCall& call, const RangeWindow& window, RateTraits traits) {
  if (window.anchored || window.smoothed) return ExtendedHistogramRate(call, window, traits);
  const std::span<const HistogramPoint> points = window.histograms;
  const FloatHistogram& first = *points.front().histogram;
  std::optional<FloatHistogram> result;
  if (points.size() > 1) {
    result = Difference(call, window, traits.counter);
    if (!result) return Point::None();
  }
  const int64_t first_ms = points.front().ts_ms;
  const int64_t last_ms = points.back().ts_ms;
  Extrapolation reach{static_cast<double>(last_ms - first_ms) / 1000,
                      static_cast<double>(first_ms - window.begin_ms) / 1000,
                      static_cast<double>(window.end_ms - last_ms) / 1000};
  const double distance = points.size() > 1 ? reach.sampled / static_cast<double>(points.size() - 1) : 0;
  const double threshold = distance * 1.1;
  const int64_t start_ms = StartOf(window, 0);
  if (traits.counter && start_ms != kNoStartMs && start_ms > window.begin_ms && start_ms < first_ms) {
    // The counter began inside the window, with nothing in it.
    reach.to_start = 0;
    reach.sampled = static_cast<double>(last_ms - start_ms) / 1000;
    if (!result) {
      result = first;
    } else {
      const HistogramOpNotes notes = result->Add(first);
      if (notes.incompatible) NoteMixedSchemas(call);
      if (notes.incompatible) return Point::None();
      if (notes.bounds_reconciled) NoteReconciledBounds(call, "addition");
    }
  } else if (!result) {
    return Point::None();
  } else {
    if (reach.to_start >= threshold) reach.to_start = distance / 2;
    if (traits.counter && result->count() > 0 && first.count() >= 0) {
      // Never back to before the counter was zero.
      reach.to_start = std::min(reach.to_start, reach.sampled * (first.count() / result->count()));
    }
  }
  if (reach.to_end >= threshold) reach.to_end = distance / 2;
  double factor = reach.Factor();
  if (traits.per_second) factor /= Seconds(window.range_ms);
  result->Mul(factor);
  return Point::Histogram(std::make_shared<const FloatHistogram>(std::move(*result)));
}

Point HistogramInstantDelta(const RangeCall& call, const InstantSample& first, const InstantSample& second,
                            RateTraits traits) {
  if (traits.counter && (first.histogram->is_gauge() || second.histogram->is_gauge())) NoteNotACounter(call);
  if (!traits.counter && (!first.histogram->is_gauge() || !second.histogram->is_gauge())) NoteNotAGauge(call);
  FloatHistogram result = *second.histogram;
  const bool reset = traits.counter && (IsStartReset(first.start_ms, first.ts_ms, second.start_ms, second.ts_ms) ||
                                        second.histogram->DetectReset(*first.histogram));
  if (!reset) {
    const HistogramOpNotes notes = result.Sub(*first.histogram);
    if (notes.incompatible) NoteMixedSchemas(call);
    if (notes.incompatible) return Point::None();
    if (notes.bounds_reconciled) NoteReconciledBounds(call, "subtraction");
  }
  result.set_hint(CounterResetHint::kGauge);
  result.Compact();
  if (traits.counter) result.Div(static_cast<double>(second.ts_ms - first.ts_ms) / 1000);
  return Point::Histogram(std::make_shared<const FloatHistogram>(std::move(result)));
}

Point HistogramOverTime(const RangeCall& call, const RangeWindow& window, HistogramFold::Kind kind) {
  HistogramFold fold(kind);
  for (const HistogramPoint& point : window.histograms) {
    if (fold.Add(*point.histogram)) continue;
    NoteMixedSchemas(call);
    return Point::None();
  }
  if (fold.reset_conflict()) NoteConflictingResets(call, "aggregation");
  if (fold.bounds_reconciled()) NoteReconciledBounds(call, "aggregation");
  FloatHistogramPtr result = fold.Finish(false);
  return result == nullptr ? Point::None() : Point::Histogram(std::move(result));
}

}  // namespace varve::promql
