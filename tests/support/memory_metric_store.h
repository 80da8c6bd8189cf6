// The metric store as a map in memory: what the real one must do, in the fewest words. For tests of what lies
// above it, and their oracle.
//
// Threads: thread-safe by one lock; snapshots are copies.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/metric_store.h"

namespace varve {

class MemoryMetricStore final : public MetricStore {
 public:
  struct StoredSample {
    double value = 0;
    HistogramPtr histogram;  // null: a float
    int64_t start_ms = kNoStartMs;
  };
  struct Series {
    TenantId tenant = 0;
    PackedLabels labels;
    std::map<int64_t, StoredSample> samples;  // by ts_ms
    std::vector<Exemplar> exemplars;          // ascending by time
  };

  Result<SeriesOrdinal> InternSeries(TenantId tenant, const PackedLabels& labels, uint64_t series_max) override;
  PackedLabels SeriesLabels(SeriesOrdinal series) const override;
  Result<MetricVerdicts> Append(TenantId tenant, const MetricBatch& batch, const MetricRecordFn& record) override;
  Result<std::unique_ptr<const MetricSnapshot>> Snapshot(TenantId tenant, const std::vector<Matcher>& matchers,
                                                         MetricRange range) const override;
  Result<std::vector<PackedLabels>> SelectSeries(TenantId tenant, const std::vector<Matcher>& matchers,
                                                 MetricRange range, size_t limit) const override;
  Result<std::vector<std::string>> LabelNames(TenantId tenant, const std::vector<Matcher>& matchers,
                                              MetricRange range) const override;
  Result<std::vector<std::string>> LabelValues(TenantId tenant, std::string_view name,
                                               const std::vector<Matcher>& matchers,
                                               MetricRange range) const override;
  Result<std::vector<ExemplarSeries>> Exemplars(TenantId tenant, const std::vector<std::vector<Matcher>>& selectors,
                                                MetricRange range) const override;
  std::vector<MetricMetadata> Metadata(TenantId tenant, std::string_view metric) const override;
  CardinalityReport Cardinality(TenantId tenant, size_t limit) const override;
  MetricStoreStats Stats() const override;
  Status DeleteSamples(TenantId tenant, const std::vector<Matcher>& matchers, MetricRange range) override;

  // The records that Append has written, in order.
  std::vector<std::string> records() const;

 private:
  // Of the tenant, by labels, that match and have a sample in the range.
  std::vector<const Series*> SelectLocked(TenantId tenant, const std::vector<Matcher>& matchers,
                                          MetricRange range) const VARVE_REQUIRES(mu_);

  mutable Mutex mu_;
  std::vector<Series> series_ VARVE_GUARDED_BY(mu_);
  std::map<std::pair<TenantId, std::string>, MetricMetadata> metadata_ VARVE_GUARDED_BY(mu_);
  std::vector<std::string> records_ VARVE_GUARDED_BY(mu_);
};

}  // namespace varve
