#include "query/promql/eval/selector.h"

#include <algorithm>

#include "query/promql/functions/histogram_rate.h"

namespace varve::promql {
namespace {

// Two indexes over the samples of a series, floats and histograms, that only go forward.
class InstantCursor {
 public:
  explicit InstantCursor(const SeriesSamples& samples) : samples_(samples) {}

  // Moves to the newest sample at or before `ref_ms`, which must not decrease.
  void Advance(int64_t ref_ms) {
    while (floats_ < samples_.floats.size() && samples_.float_ts_ms[floats_] <= ref_ms) ++floats_;
    while (histograms_ < samples_.histograms.size() && samples_.histograms[histograms_].ts_ms <= ref_ms) ++histograms_;
  }
  bool AtHistogram() const {
    if (histograms_ == 0) return false;
    return floats_ == 0 || samples_.histograms[histograms_ - 1].ts_ms > samples_.float_ts_ms[floats_ - 1];
  }
  // INT64_MIN: there is none.
  int64_t ts_ms() const {
    if (AtHistogram()) return samples_.histograms[histograms_ - 1].ts_ms;
    return floats_ == 0 ? INT64_MIN : samples_.float_ts_ms[floats_ - 1];
  }
  double value() const { return samples_.floats[floats_ - 1]; }
  size_t histogram() const { return histograms_ - 1; }
  const NativeHistogram& native() const { return *samples_.histograms[histograms_ - 1].histogram; }
  bool IsStale() const { return AtHistogram() ? IsStaleNan(native().sum) : IsStaleNan(value()); }
  int64_t start_ms() const {
    const auto& starts = AtHistogram() ? samples_.histogram_starts_ms : samples_.float_starts_ms;
    return starts.empty() ? kNoStartMs : starts[(AtHistogram() ? histograms_ : floats_) - 1];
  }

 private:
  const SeriesSamples& samples_;
  size_t floats_ = 0;      // how many are at or before the reference
  size_t histograms_ = 0;
};

// Count and sum of a series' histograms. Those that no step asks for are read, too: a reset may be among them.
class StatsFeed {
 public:
  explicit StatsFeed(const SeriesSamples& samples) : samples_(samples) {}
  // `index` must increase.
  FloatHistogramPtr At(size_t index) {
    FloatHistogramPtr stats;
    for (; next_ <= index; ++next_) {
      const NativeHistogram& native = *samples_.histograms[next_].histogram;
      if (IsStaleNan(native.sum)) continue;
      stats = reader_.Next(std::make_shared<const FloatHistogram>(FloatHistogram::FromNative(native)));
    }
    return stats;
  }

 private:
  const SeriesSamples& samples_;
  HistogramStatsReader reader_;
  size_t next_ = 0;
};

class InstantProducer final : public SeriesProducer {
 public:
  struct Spec {
    StepGrid grid;
    std::optional<int64_t> at_ms;
    int64_t offset_ms = 0;
    int64_t lookback_ms = 0;
    MetricRange range;
    InstantValue value = InstantValue::kSample;
    bool delayed_names = false;
    bool stats_only = false;
  };
  InstantProducer(std::shared_ptr<const MetricSnapshot> snapshot, const Spec& spec)
      : snapshot_(std::move(snapshot)), spec_(spec) {
    if (!DropsName() || spec_.delayed_names) return;
    for (size_t i = 0; i < snapshot_->size(); ++i) labels_.push_back(DropMetricLabels(snapshot_->labels(i)));
  }

  size_t size() const override { return snapshot_->size(); }
  const PackedLabels& labels(size_t series) const override {
    return labels_.empty() ? snapshot_->labels(series) : labels_[series];
  }
  bool drop_name(size_t) const override { return DropsName() && spec_.delayed_names; }
  size_t levels() const override { return 1; }

  Status Produce(size_t series, ProduceTask* task, StepColumn* out) override {
    SeriesSamples* samples = &task->BuffersOfLevel(0)->samples;
    VARVE_RETURN_IF_ERROR(snapshot_->Read(series, spec_.range, task->budget, samples));
    const size_t steps = spec_.grid.steps();
    out->Resize(steps);
    if (samples->empty()) return Status::Ok();
    InstantCursor cursor(*samples);
    size_t last_histogram = SIZE_MAX;
    FloatHistogramPtr histogram;
    StatsFeed stats(*samples);
    for (size_t step = 0; step < steps; ++step) {
      const int64_t ref_ms = spec_.at_ms.value_or(spec_.grid.At(step)) - spec_.offset_ms;
      cursor.Advance(ref_ms);
      const int64_t ts_ms = cursor.ts_ms();
      if (ts_ms == INT64_MIN || ts_ms <= ref_ms - spec_.lookback_ms || cursor.IsStale()) continue;
      uint64_t size = 1;
      if (spec_.value == InstantValue::kTimestamp) {
        out->SetFloat(step, static_cast<double>(ts_ms) / 1000);
      } else if (spec_.value == InstantValue::kStartTimestamp) {
        out->SetFloat(step, static_cast<double>(cursor.start_ms()) / 1000);
      } else if (!cursor.AtHistogram()) {
        out->SetFloat(step, spec_.value == InstantValue::kSample ? cursor.value() : static_cast<double>(ts_ms));
      } else {
        if (cursor.histogram() != last_histogram) {
          last_histogram = cursor.histogram();
          histogram = spec_.stats_only
                          ? stats.At(last_histogram)
                          : std::make_shared<const FloatHistogram>(FloatHistogram::FromNative(cursor.native()));
        }
        out->SetHistogram(step, histogram);
        size = histogram->SampleSize();
      }
      task->stats.Count(step, size);
    }
    return Status::Ok();
  }

 private:
  bool DropsName() const {
    return spec_.value == InstantValue::kTimestamp || spec_.value == InstantValue::kStartTimestamp;
  }

  const std::shared_ptr<const MetricSnapshot> snapshot_;
  const Spec spec_;
  std::vector<PackedLabels> labels_;  // empty: the snapshot's
};

// `x smoothed`: the sample at the reference itself, or what lies on the line between its neighbours.
class SmoothedProducer final : public SeriesProducer {
 public:
  SmoothedProducer(std::shared_ptr<const MetricSnapshot> snapshot, const VectorSelector& selector, StepGrid grid,
                   MetricRange range, int64_t lookback_ms, bool stats_only)
      : snapshot_(std::move(snapshot)),
        selector_(selector),
        grid_(grid),
        range_(range),
        lookback_ms_(lookback_ms),
        stats_only_(stats_only) {}

  size_t size() const override { return snapshot_->size(); }
  const PackedLabels& labels(size_t series) const override { return snapshot_->labels(series); }
  bool drop_name(size_t) const override { return false; }
  size_t levels() const override { return 1; }

  Status Produce(size_t series, ProduceTask* task, StepColumn* out) override {
    ProduceTask::Buffers* buffers = task->BuffersOfLevel(0);
    VARVE_RETURN_IF_ERROR(snapshot_->Read(series, range_, task->budget, &buffers->samples));
    DropStale(buffers, stats_only_);
    out->Resize(grid_.steps());
    const std::string_view name = snapshot_->labels(series).metric_name();
    for (size_t step = 0; step < grid_.steps(); ++step) {
      Point point = At(*buffers, ReferenceMs(selector_.shift, grid_.At(step)), name, task);
      task->stats.Count(step, point.kind == PointKind::kNone ? 0 : 1);
      out->Set(step, std::move(point));
    }
    return Status::Ok();
  }

 private:
  Point At(const ProduceTask::Buffers& buffers, int64_t ref_ms, std::string_view name, ProduceTask* task) const {
    const int64_t begin_ms = ref_ms - lookback_ms_;
    const int64_t end_ms = ref_ms + lookback_ms_;
    const auto& ts = buffers.samples.float_ts_ms;
    const auto floats_begin = std::upper_bound(ts.begin(), ts.end(), begin_ms);
    const auto floats_end = std::upper_bound(ts.begin(), ts.end(), end_ms);
    const auto before = [](int64_t ms, const HistogramPoint& point) { return ms < point.ts_ms; };
    const auto& hists = buffers.histograms;
    const auto hists_begin = std::upper_bound(hists.begin(), hists.end(), begin_ms, before);
    const auto hists_end = std::upper_bound(hists.begin(), hists.end(), end_ms, before);
    if (floats_begin != floats_end && hists_begin != hists_end) {
      task->notes.AddWarning(selector_.pos, MixedFloatsHistogramsText(name));
      return Point::None();
    }
    if (hists_begin != hists_end) return HistogramAt({hists_begin, hists_end}, ref_ms, name, task);
    const auto next = std::lower_bound(floats_begin, floats_end, ref_ms);
    const auto value = [&](auto at) { return buffers.samples.floats[static_cast<size_t>(at - ts.begin())]; };
    if (next != floats_end && *next == ref_ms) return Point::Float(value(next));
    if (next == floats_begin) return Point::None();
    const auto prev = next - 1;
    if (next == floats_end) return Point::Float(value(prev));
    return Point::Float(value(prev) + (value(next) - value(prev)) * static_cast<double>(ref_ms - *prev) /
                                          static_cast<double>(*next - *prev));
  }

  Point HistogramAt(std::span<const HistogramPoint> points, int64_t ref_ms, std::string_view name,
                    ProduceTask* task) const {
    const auto next = std::lower_bound(points.begin(), points.end(), ref_ms,
                                       [](const HistogramPoint& point, int64_t ms) { return point.ts_ms < ms; });
    if (next != points.end() && next->ts_ms == ref_ms) return Point::Histogram(next->histogram);
    if (next == points.begin()) return Point::None();
    const HistogramPoint& prev = *(next - 1);
    if (next == points.end()) {
      FloatHistogram carried = *prev.histogram;
      carried.set_hint(CounterResetHint::kUnknown);  // it tells how two samples relate, not what one is
      return Point::Histogram(std::make_shared<const FloatHistogram>(std::move(carried)));
    }
    if (prev.histogram->is_custom() != next->histogram->is_custom()) {
      std::string text =
          "vector contains a mix of histograms with exponential and custom buckets schemas for metric name ";
      AppendGoQuoted(&text, name);
      task->notes.AddWarning(selector_.pos, std::move(text));
      return Point::None();
    }
    const bool is_counter = !prev.histogram->is_gauge() || !next->histogram->is_gauge();
    FloatHistogramPtr between =
        InterpolateHistograms(prev, *next, ref_ms, is_counter, name, selector_.pos, &task->notes);
    return between == nullptr ? Point::None() : Point::Histogram(std::move(between));
  }

  static std::string MixedFloatsHistogramsText(std::string_view name) {
    std::string text = "encountered a mix of histograms and floats for metric name ";
    AppendGoQuoted(&text, name);
    return text;
  }

  const std::shared_ptr<const MetricSnapshot> snapshot_;
  const VectorSelector& selector_;
  const StepGrid grid_;
  const MetricRange range_;
  const int64_t lookback_ms_;
  const bool stats_only_;
};

Result<ProducerPtr> MakeInstant(Evaluator* eval, const std::vector<Matcher>& matchers, InstantProducer::Spec spec) {
  const int64_t last_ms = spec.grid.At(spec.grid.steps() - 1);
  spec.lookback_ms = eval->lookback_ms();
  spec.delayed_names = eval->delayed_names();
  spec.range.min_ms = spec.at_ms.value_or(spec.grid.start_ms) - spec.offset_ms - spec.lookback_ms + 1;
  spec.range.max_ms = spec.at_ms.value_or(last_ms) - spec.offset_ms;
  VARVE_ASSIGN_OR_RETURN(auto snapshot, eval->Select(matchers, spec.range));
  return ProducerPtr(std::make_unique<InstantProducer>(std::move(snapshot), spec));
}

}  // namespace

void DropStale(ProduceTask::Buffers* buffers, bool stats_only) {
  SeriesSamples& samples = buffers->samples;
  if (std::any_of(samples.floats.begin(), samples.floats.end(), IsStaleNan)) {
    size_t kept = 0;
    for (size_t i = 0; i < samples.floats.size(); ++i) {
      if (IsStaleNan(samples.floats[i])) continue;
      samples.floats[kept] = samples.floats[i];
      samples.float_ts_ms[kept] = samples.float_ts_ms[i];
      if (!samples.float_starts_ms.empty()) samples.float_starts_ms[kept] = samples.float_starts_ms[i];
      ++kept;
    }
    samples.floats.resize(kept);
    samples.float_ts_ms.resize(kept);
    if (!samples.float_starts_ms.empty()) samples.float_starts_ms.resize(kept);
  }
  buffers->histograms.clear();
  HistogramStatsReader stats;
  size_t kept = 0;
  for (size_t i = 0; i < samples.histograms.size(); ++i) {
    const HistogramSample& sample = samples.histograms[i];
    if (IsStaleNan(sample.histogram->sum)) continue;
    if (!samples.histogram_starts_ms.empty()) samples.histogram_starts_ms[kept++] = samples.histogram_starts_ms[i];
    auto histogram = std::make_shared<const FloatHistogram>(FloatHistogram::FromNative(*sample.histogram));
    buffers->histograms.push_back({sample.ts_ms, stats_only ? stats.Next(histogram) : std::move(histogram)});
  }
  if (!samples.histogram_starts_ms.empty()) samples.histogram_starts_ms.resize(kept);
}

Result<ProducerPtr> EvalSelector(Evaluator* eval, const VectorSelector& selector, const EvalScope& scope) {
  if (!selector.smoothed) {
    return MakeInstant(eval, selector.matchers,
                       {.grid = scope.grid,
                        .at_ms = selector.shift.at_ms,
                        .offset_ms = selector.shift.offset_ms,
                        .stats_only = eval->stats_only(selector)});
  }
  const int64_t lookback_ms = eval->lookback_ms();
  const int64_t last_ms = scope.grid.At(scope.grid.steps() - 1);
  const MetricRange range{ReferenceMs(selector.shift, scope.grid.start_ms) - lookback_ms + 1,
                          ReferenceMs(selector.shift, last_ms) + lookback_ms};
  VARVE_ASSIGN_OR_RETURN(auto snapshot, eval->Select(selector.matchers, range));
  return ProducerPtr(
      std::make_unique<SmoothedProducer>(std::move(snapshot), selector, scope.grid, range, lookback_ms,
                                         eval->stats_only(selector)));
}

Result<ProducerPtr> EvalSelectorTimes(Evaluator* eval, const VectorSelector& selector, InstantValue value,
                                      const EvalScope& scope) {
  VARVE_ASSIGN_OR_RETURN(ProducerPtr producer,
                         MakeInstant(eval, selector.matchers,
                                     {.grid = scope.grid,
                                      .at_ms = selector.shift.at_ms,
                                      .offset_ms = selector.shift.offset_ms,
                                      .value = value}));
  return eval->RequireUnique(std::move(producer), scope, SameLabels::kRefuseStep);
}

Result<StepMatrix> SelectInstant(Evaluator* eval, const std::vector<Matcher>& matchers, std::optional<int64_t> at_ms,
                                 int64_t offset_ms, bool own_times, const EvalScope& scope) {
  VARVE_ASSIGN_OR_RETURN(ProducerPtr producer,
                         MakeInstant(eval, matchers,
                                     {.grid = scope.grid,
                                      .at_ms = at_ms,
                                      .offset_ms = offset_ms,
                                      .value = own_times ? InstantValue::kTimestampMs : InstantValue::kSample}));
  VARVE_ASSIGN_OR_RETURN(ChargedMatrix matrix, eval->Materialize(std::move(producer), scope));
  return std::move(matrix.series);
}

}  // namespace varve::promql
