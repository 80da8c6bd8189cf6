#include "tests/support/promqltest_load.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "engine/model/sample.h"
#include "query/promql/values/chunk_hints.h"

namespace varve::promqltest {
namespace {

using promql::FloatHistogram;
using promql::FloatHistogramPtr;

struct TimedSample {
  int64_t ts_ms = 0;
  double value = 0;
  FloatHistogramPtr histogram;  // null: a float
  int64_t start_ms = kNoStartMs;
};

void SetHints(std::vector<TimedSample>* samples) {
  FloatHistogramPtr before;
  for (TimedSample& sample : *samples) {
    if (sample.histogram == nullptr) {
      before = nullptr;
      continue;
    }
    FloatHistogram copy = *sample.histogram;
    copy.set_hint(promql::HintInChunk(before.get(), copy));
    before = sample.histogram;
    sample.histogram = std::make_shared<const FloatHistogram>(std::move(copy));
  }
}

// A stale marker behind a histogram is a histogram.
void SetStaleKinds(std::vector<TimedSample>* samples) {
  bool histogram = false;
  for (TimedSample& sample : *samples) {
    if (histogram && sample.histogram == nullptr && IsStaleNan(sample.value)) {
      NativeHistogram stale;
      stale.is_float = true;
      stale.sum = StaleNan();
      sample.histogram = std::make_shared<const FloatHistogram>(FloatHistogram::FromNative(stale));
    }
    histogram = sample.histogram != nullptr;
  }
}

Status Store(const PackedLabels& labels, std::vector<TimedSample> samples, MetricStore* store) {
  SetStaleKinds(&samples);
  SetHints(&samples);
  VARVE_ASSIGN_OR_RETURN(const SeriesOrdinal series, store->InternSeries(kScriptTenant, labels, 0));
  MetricBatch batch;
  for (TimedSample& sample : samples) {
    if (sample.histogram == nullptr) {
      batch.floats.push_back({sample.ts_ms, sample.value});
      batch.float_starts_ms.push_back(sample.start_ms);
    } else {
      batch.histograms.push_back(
          {sample.ts_ms, std::make_shared<const NativeHistogram>(sample.histogram->ToNative())});
      batch.histogram_starts_ms.push_back(sample.start_ms);
    }
  }
  batch.parts.push_back({.series = series,
                         .float_begin = 0,
                         .float_count = static_cast<uint32_t>(batch.floats.size()),
                         .histogram_begin = 0,
                         .histogram_count = static_cast<uint32_t>(batch.histograms.size())});
  VARVE_ASSIGN_OR_RETURN(const MetricVerdicts verdicts,
                         store->Append(kScriptTenant, batch, [](const MetricVerdicts&) { return std::string_view(); }));
  for (const std::vector<SampleVerdict>* list : {&verdicts.floats, &verdicts.histograms}) {
    for (const SampleVerdict verdict : *list) {
      if (verdict == SampleVerdict::kConflict || verdict == SampleVerdict::kTooOld) {
        return InvalidArgument("a loaded sample was refused: " + labels.ToString());
      }
    }
  }
  return Status::Ok();
}

std::vector<TimedSample> SamplesOf(const LoadedSeries& series, int64_t step_ms) {
  std::vector<TimedSample> samples;
  for (size_t i = 0; i < series.values.size(); ++i) {
    const SequenceValue& value = series.values[i];
    if (value.omitted) continue;
    TimedSample sample{static_cast<int64_t>(i) * step_ms, value.value, value.histogram, kNoStartMs};
    if (!series.starts_ms.empty() && series.starts_ms[i]) sample.start_ms = sample.ts_ms + *series.starts_ms[i];
    samples.push_back(std::move(sample));
  }
  return samples;
}

// A classic histogram at one time.
struct ClassicHistogram {
  std::map<double, double> buckets;  // cumulative counts by upper bound
  std::optional<double> count;
  double sum = 0;
};

Result<FloatHistogramPtr> Converted(ClassicHistogram classic) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  if (!classic.count) classic.count = classic.buckets.empty() ? 0 : classic.buckets.rbegin()->second;
  classic.buckets.try_emplace(kInf, *classic.count);
  NativeHistogram native;
  native.is_float = true;
  native.schema = kCustomBucketsSchema;
  native.float_count = *classic.count;
  native.sum = classic.sum;
  double before = 0;
  for (const auto& [bound, count] : classic.buckets) {
    if (count < before) return InvalidArgument("the counts of a classic histogram are not cumulative");
    native.positive_counts.push_back(count - before);
    before = count;
    if (bound != kInf) native.custom_values.push_back(bound);
  }
  if (*classic.count != before) return InvalidArgument("a classic histogram's count is not that of its last bucket");
  native.positive_spans = {{0, static_cast<uint32_t>(native.positive_counts.size())}};
  FloatHistogram histogram = FloatHistogram::FromNative(native);
  histogram.Compact();
  return std::make_shared<const FloatHistogram>(std::move(histogram));
}

Status StoreNhcb(const Load& load, MetricStore* store) {
  std::map<PackedLabels, std::map<int64_t, ClassicHistogram>> histograms;
  for (const LoadedSeries& series : load.series) {
    const std::string name(series.labels.metric_name());
    const size_t underscore = name.rfind('_');
    const std::string_view suffix =
        underscore == std::string::npos ? std::string_view() : std::string_view(name).substr(underscore);
    double bound = 0;
    if (suffix == "_bucket") {
      const Result<double> le = promql::ParseWholeNumber(series.labels.Get("le"));
      if (!le.ok() || std::isnan(*le)) continue;
      bound = *le;
    } else if (suffix != "_sum" && suffix != "_count") {
      continue;
    }
    PackedLabelsBuilder builder(series.labels);
    builder.Set(kMetricName, std::string_view(name).substr(0, underscore));
    builder.Delete("le");
    std::map<int64_t, ClassicHistogram>& by_time = histograms[builder.Build()];
    for (const TimedSample& sample : SamplesOf(series, load.step_ms)) {
      if (sample.histogram != nullptr) continue;
      ClassicHistogram& classic = by_time[sample.ts_ms];
      if (suffix == "_bucket") classic.buckets.try_emplace(bound, sample.value);
      if (suffix == "_count") classic.count = sample.value;
      if (suffix == "_sum") classic.sum = sample.value;
    }
  }
  for (auto& [labels, by_time] : histograms) {
    std::vector<TimedSample> samples;
    for (auto& [ts_ms, classic] : by_time) {
      VARVE_ASSIGN_OR_RETURN(FloatHistogramPtr histogram, Converted(std::move(classic)));
      samples.push_back({ts_ms, 0, std::move(histogram), kNoStartMs});
    }
    VARVE_RETURN_IF_ERROR(Store(labels, std::move(samples), store));
  }
  return Status::Ok();
}

}  // namespace

Status ApplyLoad(const Load& load, MetricStore* store) {
  for (const LoadedSeries& series : load.series) {
    VARVE_RETURN_IF_ERROR(Store(series.labels, SamplesOf(series, load.step_ms), store));
  }
  return load.with_nhcb ? StoreNhcb(load, store) : Status::Ok();
}

}  // namespace varve::promqltest
