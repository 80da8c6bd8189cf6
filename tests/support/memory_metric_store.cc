#include "tests/support/memory_metric_store.h"

#include <algorithm>
#include <bit>
#include <set>

namespace varve {
namespace {

bool MatchesSeries(const std::vector<Matcher>& matchers, const PackedLabels& labels) {
  return std::all_of(matchers.begin(), matchers.end(),
                     [&](const Matcher& matcher) { return matcher.Matches(labels.Get(matcher.name())); });
}

bool SameValue(const MemoryMetricStore::StoredSample& a, const MemoryMetricStore::StoredSample& b) {
  if ((a.histogram == nullptr) != (b.histogram == nullptr)) return false;
  if (a.histogram != nullptr) return BitEqual(*a.histogram, *b.histogram);
  return std::bit_cast<uint64_t>(a.value) == std::bit_cast<uint64_t>(b.value);
}

SampleVerdict Put(MemoryMetricStore::Series* series, int64_t ts_ms, MemoryMetricStore::StoredSample sample) {
  const auto [at, added] = series->samples.try_emplace(ts_ms, sample);
  if (added) return SampleVerdict::kStored;
  return SameValue(at->second, sample) ? SampleVerdict::kAlreadyThere : SampleVerdict::kConflict;
}

class MemorySnapshot final : public MetricSnapshot {
 public:
  explicit MemorySnapshot(std::vector<MemoryMetricStore::Series> series) : series_(std::move(series)) {}
  size_t size() const override { return series_.size(); }
  const PackedLabels& labels(size_t series) const override { return series_[series].labels; }
  Status Read(size_t series, MetricRange range, MemoryBudget*, SeriesSamples* out) const override {
    out->Clear();
    for (const auto& [ts_ms, sample] : series_[series].samples) {
      if (!range.Contains(ts_ms)) continue;
      if (sample.histogram != nullptr) {
        out->histograms.push_back({ts_ms, sample.histogram});
        out->histogram_starts_ms.push_back(sample.start_ms);
      } else {
        out->float_ts_ms.push_back(ts_ms);
        out->floats.push_back(sample.value);
        out->float_starts_ms.push_back(sample.start_ms);
      }
    }
    for (std::vector<int64_t>* starts : {&out->float_starts_ms, &out->histogram_starts_ms}) {
      if (std::all_of(starts->begin(), starts->end(), [](int64_t ms) { return ms == kNoStartMs; })) starts->clear();
    }
    return Status::Ok();
  }

 private:
  const std::vector<MemoryMetricStore::Series> series_;
};

}  // namespace

Result<SeriesOrdinal> MemoryMetricStore::InternSeries(TenantId tenant, const PackedLabels& labels,
                                                      uint64_t series_max) {
  const MutexLock lock(mu_);
  uint64_t count = 0;
  for (size_t i = 0; i < series_.size(); ++i) {
    if (series_[i].tenant != tenant) continue;
    if (series_[i].labels == labels) return static_cast<SeriesOrdinal>(i);
    ++count;
  }
  if (series_max != 0 && count >= series_max) return ResourceExhausted("too many series");
  series_.push_back({.tenant = tenant, .labels = labels, .samples = {}, .exemplars = {}});
  return static_cast<SeriesOrdinal>(series_.size() - 1);
}

PackedLabels MemoryMetricStore::SeriesLabels(SeriesOrdinal series) const {
  const MutexLock lock(mu_);
  return series_[series].labels;
}

Result<MetricVerdicts> MemoryMetricStore::Append(TenantId tenant, const MetricBatch& batch,
                                                 const MetricRecordFn& record) {
  const MutexLock lock(mu_);
  MetricVerdicts verdicts;
  verdicts.floats.assign(batch.floats.size(), SampleVerdict::kStored);
  verdicts.histograms.assign(batch.histograms.size(), SampleVerdict::kStored);
  for (const MetricBatch::Part& part : batch.parts) {
    Series* const series = &series_[part.series];
    for (uint32_t i = part.float_begin; i < part.float_begin + part.float_count; ++i) {
      const int64_t start = batch.float_starts_ms.empty() ? kNoStartMs : batch.float_starts_ms[i];
      verdicts.floats[i] =
          Put(series, batch.floats[i].ts_ms, {.value = batch.floats[i].value, .histogram = nullptr, .start_ms = start});
      if (verdicts.floats[i] != SampleVerdict::kConflict) ++verdicts.stored_floats;
    }
    for (uint32_t i = part.histogram_begin; i < part.histogram_begin + part.histogram_count; ++i) {
      const int64_t start = batch.histogram_starts_ms.empty() ? kNoStartMs : batch.histogram_starts_ms[i];
      verdicts.histograms[i] = Put(series, batch.histograms[i].ts_ms,
                                   {.value = 0, .histogram = batch.histograms[i].histogram, .start_ms = start});
      if (verdicts.histograms[i] != SampleVerdict::kConflict) ++verdicts.stored_histograms;
    }
  }
  for (const MetricBatch::SeriesExemplar& item : batch.exemplars) {
    std::vector<Exemplar>* const stored = &series_[item.series].exemplars;
    if (std::find(stored->begin(), stored->end(), item.exemplar) != stored->end()) continue;
    const auto at = std::upper_bound(stored->begin(), stored->end(), item.exemplar.ts_ms,
                                     [](int64_t ts_ms, const Exemplar& other) { return ts_ms < other.ts_ms; });
    stored->insert(at, item.exemplar);
  }
  for (const MetricMetadata& item : batch.metadata) metadata_[{tenant, item.metric}] = item;
  const auto stored = [](SampleVerdict verdict) { return verdict == SampleVerdict::kStored; };
  if (std::all_of(verdicts.floats.begin(), verdicts.floats.end(), stored) &&
      std::all_of(verdicts.histograms.begin(), verdicts.histograms.end(), stored)) {
    verdicts.floats.clear();
    verdicts.histograms.clear();
  }
  records_.emplace_back(record(verdicts));
  return verdicts;
}

std::vector<const MemoryMetricStore::Series*> MemoryMetricStore::SelectLocked(TenantId tenant,
                                                                              const std::vector<Matcher>& matchers,
                                                                              MetricRange range) const {
  std::vector<const Series*> out;
  for (const Series& series : series_) {
    const auto at = series.samples.lower_bound(range.min_ms);
    if (series.tenant == tenant && at != series.samples.end() && at->first <= range.max_ms &&
        MatchesSeries(matchers, series.labels)) {
      out.push_back(&series);
    }
  }
  std::sort(out.begin(), out.end(), [](const Series* a, const Series* b) { return a->labels < b->labels; });
  return out;
}

Result<std::unique_ptr<const MetricSnapshot>> MemoryMetricStore::Snapshot(TenantId tenant,
                                                                          const std::vector<Matcher>& matchers,
                                                                          MetricRange range) const {
  const MutexLock lock(mu_);
  std::vector<Series> copies;
  for (const Series* series : SelectLocked(tenant, matchers, range)) copies.push_back(*series);
  return std::unique_ptr<const MetricSnapshot>(std::make_unique<MemorySnapshot>(std::move(copies)));
}

Result<std::vector<PackedLabels>> MemoryMetricStore::SelectSeries(TenantId tenant,
                                                                  const std::vector<Matcher>& matchers,
                                                                  MetricRange range, size_t limit) const {
  const MutexLock lock(mu_);
  std::vector<PackedLabels> out;
  for (const Series* series : SelectLocked(tenant, matchers, range)) {
    if (limit != 0 && out.size() == limit) break;
    out.push_back(series->labels);
  }
  return out;
}

Result<std::vector<std::string>> MemoryMetricStore::LabelNames(TenantId tenant, const std::vector<Matcher>& matchers,
                                                               MetricRange range) const {
  const MutexLock lock(mu_);
  std::set<std::string> out;
  for (const Series* series : SelectLocked(tenant, matchers, range)) {
    for (const LabelView& label : series->labels) out.emplace(label.name);
  }
  return std::vector<std::string>(out.begin(), out.end());
}

Result<std::vector<std::string>> MemoryMetricStore::LabelValues(TenantId tenant, std::string_view name,
                                                                const std::vector<Matcher>& matchers,
                                                                MetricRange range) const {
  const MutexLock lock(mu_);
  std::set<std::string> out;
  for (const Series* series : SelectLocked(tenant, matchers, range)) {
    if (series->labels.Has(name)) out.emplace(series->labels.Get(name));
  }
  return std::vector<std::string>(out.begin(), out.end());
}

Result<std::vector<ExemplarSeries>> MemoryMetricStore::Exemplars(
    TenantId tenant, const std::vector<std::vector<Matcher>>& selectors, MetricRange range) const {
  const MutexLock lock(mu_);
  std::vector<ExemplarSeries> out;
  for (const Series& series : series_) {
    const bool selected = series.tenant == tenant &&
                          std::any_of(selectors.begin(), selectors.end(), [&](const std::vector<Matcher>& matchers) {
                            return MatchesSeries(matchers, series.labels);
                          });
    if (!selected) continue;
    ExemplarSeries found{.series = series.labels, .exemplars = {}};
    for (const Exemplar& exemplar : series.exemplars) {
      if (range.Contains(exemplar.ts_ms)) found.exemplars.push_back(exemplar);
    }
    if (!found.exemplars.empty()) out.push_back(std::move(found));
  }
  std::sort(out.begin(), out.end(),
            [](const ExemplarSeries& a, const ExemplarSeries& b) { return a.series < b.series; });
  return out;
}

std::vector<MetricMetadata> MemoryMetricStore::Metadata(TenantId tenant, std::string_view metric) const {
  const MutexLock lock(mu_);
  std::vector<MetricMetadata> out;
  for (const auto& [key, item] : metadata_) {
    if (key.first == tenant && (metric.empty() || item.metric == metric)) out.push_back(item);
  }
  return out;
}

CardinalityReport MemoryMetricStore::Cardinality(TenantId tenant, size_t) const {
  const MutexLock lock(mu_);
  CardinalityReport report;
  report.series = static_cast<uint64_t>(
      std::count_if(series_.begin(), series_.end(), [&](const Series& series) { return series.tenant == tenant; }));
  return report;
}

MetricStoreStats MemoryMetricStore::Stats() const {
  const MutexLock lock(mu_);
  MetricStoreStats stats;
  stats.series = series_.size();
  for (const Series& series : series_) stats.head_samples += series.samples.size();
  return stats;
}

Status MemoryMetricStore::DeleteSamples(TenantId tenant, const std::vector<Matcher>& matchers, MetricRange range) {
  const MutexLock lock(mu_);
  for (Series& series : series_) {
    if (series.tenant != tenant || !MatchesSeries(matchers, series.labels)) continue;
    std::erase_if(series.samples, [&](const auto& sample) { return range.Contains(sample.first); });
  }
  return Status::Ok();
}

std::vector<std::string> MemoryMetricStore::records() const {
  const MutexLock lock(mu_);
  return records_;
}

}  // namespace varve
