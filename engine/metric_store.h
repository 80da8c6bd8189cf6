// The metric half of the engine: series, their samples, exemplars and metadata. Engine::metrics() has it.
//
// Shares journal, packs, meta store, retention, memory budgets and recovery with the log half; Engine::Flush,
// Compact and Close do both.
//
//   Life of a write: InternSeries for unknown label sets → Append: under the locks of the shards concerned every
//   sample is judged, the record written to the journal, and the samples put into the heads; so what the record
//   says was refused is refused again on replay, and nothing is judged twice.
//
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/append_batch.h"
#include "engine/base/status.h"
#include "engine/delete_request.h"
#include "engine/metric_batch.h"
#include "engine/metric_scan.h"
#include "engine/model/exemplar.h"
#include "engine/model/matcher.h"
#include "engine/model/packed_labels.h"

namespace varve {

struct MetricVerdicts {
  // One for each of the batch's floats, histograms and exemplars; empty means all kStored.
  std::vector<SampleVerdict> floats;
  std::vector<SampleVerdict> histograms;
  uint64_t stored_floats = 0;      // with kAlreadyThere
  uint64_t stored_histograms = 0;  // with kAlreadyThere
  bool all_stored() const { return floats.empty() && histograms.empty(); }
};

// Writes the journal record for a batch, of whose samples those that `verdicts` refuse are to be left out on
// replay. Called at most once, under locks: quick, no calls back into the store.
using MetricRecordFn = std::function<std::string_view(const MetricVerdicts& verdicts)>;

struct ExemplarSeries {
  PackedLabels series;
  std::vector<Exemplar> exemplars;  // ascending by time
};

struct MetricStoreStats {
  uint64_t series = 0;          // known
  uint64_t head_series = 0;     // with samples in the head
  uint64_t head_samples = 0;
  uint64_t head_bytes = 0;
  uint64_t series_table_bytes = 0;
  uint64_t appended_samples = 0;
  uint64_t appended_histograms = 0;
  uint64_t appended_exemplars = 0;
  uint64_t out_of_order_samples = 0;
  uint64_t refused_conflict = 0;
  uint64_t refused_too_old = 0;
  uint64_t pack_samples = 0;
  uint64_t pack_bytes = 0;  // of blocks
  uint64_t packs = 0;
};

struct NamedCount {
  std::string name;
  uint64_t count = 0;
};

// Where a tenant's series come from: /api/v1/status/tsdb and `varve top`. Each list descending by count.
struct CardinalityReport {
  uint64_t series = 0;
  uint64_t label_pairs = 0;
  int64_t min_ms = 0;  // of what is stored; 0 when nothing is
  int64_t max_ms = 0;
  uint64_t chunks = 0;
  std::vector<NamedCount> series_by_metric;
  std::vector<NamedCount> values_by_label;
  std::vector<NamedCount> bytes_by_label;
  std::vector<NamedCount> series_by_pair;  // "name=value"
};

class MetricStore {
 public:
  virtual ~MetricStore() = default;

  // --- Identity -------------------------------------------------------------------------------
  // The number of a series; created, durably, on first sight. Not empty. `series_max` (0: no limit) is how many
  // active series the tenant may have: kResourceExhausted, in words that name the label with most values, when a
  // new one would be more.
  virtual Result<SeriesOrdinal> InternSeries(TenantId tenant, const PackedLabels& labels, uint64_t series_max) = 0;
  virtual PackedLabels SeriesLabels(SeriesOrdinal series) const = 0;

  // --- Writing --------------------------------------------------------------------------------
  // Judges, journals (unless nothing of the batch is new) and stores. Errors as Engine::Append: in each of them
  // nothing of the batch is stored.
  virtual Result<MetricVerdicts> Append(TenantId tenant, const MetricBatch& batch, const MetricRecordFn& record) = 0;

  // --- Reading --------------------------------------------------------------------------------
  // The series that match (all when there is no matcher) and may have a sample in `range`.
  virtual Result<std::unique_ptr<const MetricSnapshot>> Snapshot(TenantId tenant, const std::vector<Matcher>& matchers,
                                                                 MetricRange range) const = 0;
  // Their labels alone, ascending; at most `limit` (0: all).
  virtual Result<std::vector<PackedLabels>> SelectSeries(TenantId tenant, const std::vector<Matcher>& matchers,
                                                         MetricRange range, size_t limit) const = 0;
  // Sorted. Over the series that match and have samples in the range.
  virtual Result<std::vector<std::string>> LabelNames(TenantId tenant, const std::vector<Matcher>& matchers,
                                                      MetricRange range) const = 0;
  virtual Result<std::vector<std::string>> LabelValues(TenantId tenant, std::string_view name,
                                                       const std::vector<Matcher>& matchers,
                                                       MetricRange range) const = 0;
  // Of the series that any of the selectors takes; ascending by labels.
  virtual Result<std::vector<ExemplarSeries>> Exemplars(TenantId tenant,
                                                        const std::vector<std::vector<Matcher>>& selectors,
                                                        MetricRange range) const = 0;
  // Ascending by metric; of one metric, or of all when `metric` is empty.
  virtual std::vector<MetricMetadata> Metadata(TenantId tenant, std::string_view metric) const = 0;

  virtual CardinalityReport Cardinality(TenantId tenant, size_t limit) const = 0;
  virtual MetricStoreStats Stats() const = 0;

  // --- Deleting -------------------------------------------------------------------------------
  // Hides, from now on, the tenant's stored samples of the series that match, in the range.
  virtual Status DeleteSamples(TenantId tenant, const std::vector<Matcher>& matchers, MetricRange range) = 0;
};

}  // namespace varve
