// All series of metrics: label set ↔ dense ordinal ↔ fingerprint, which labels select which series, and on which
// days each was active.
//
// Built for many: a label set is a run of (name, value) symbol numbers, the symbols are interned once (about 150
// bytes a series of node_exporter, all in; docs/architecture.md has the measurement). Symbols and series are added and
// never removed while the process runs.
// A fingerprint (u64) names a series in packs: xxh3_64 of StreamKey(tenant, labels), plus one for each other series
// already there (compared exactly).
// Days are floor(ts / 24 h) of UTC. A series that was not active on a day is not looked at by a query of that day, so
// churn costs only the days that had it.
// Threads: thread-safe. Resolving an ordinal takes no lock.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/append_batch.h"
#include "engine/base/status.h"
#include "engine/index/series_days.h"
#include "engine/metric_batch.h"
#include "engine/metric_store.h"
#include "engine/model/matcher.h"
#include "engine/model/packed_labels.h"

namespace varve {

struct SeriesInfo {
  uint64_t fingerprint = 0;
  TenantId tenant = 0;
  // Where series of one target (equal `job` and `instance`) come together: they are scraped at one time and can share
  // timestamps. A hash of the tenant's name and these two labels, the same after every start: it decides the shard.
  uint32_t target = 0;
};

DayRange DaysOf(MetricRange range);
int32_t DayOf(int64_t ts_ms);

class SeriesTable {
 public:
  // Stores a new series' identity durably; called before the series becomes visible, under a lock.
  using Persist = std::function<Status(std::string_view canonical, uint64_t fingerprint)>;
  // Test hook: makes fingerprints collide. Null = xxh3_64.
  using Hash = uint64_t (*)(std::string_view);

  explicit SeriesTable(Hash hash = nullptr);
  ~SeriesTable();
  SeriesTable(const SeriesTable&) = delete;
  SeriesTable& operator=(const SeriesTable&) = delete;

  // The series' ordinal, adding it (after `persist`) when it is new. kResourceExhausted when the tenant has
  // `series_max` (0: no limit) series active on `today` or the day before, or the table is full (kSeriesMax).
  Result<SeriesOrdinal> Intern(TenantId tenant, std::string_view tenant_name, const PackedLabels& labels,
                               uint64_t series_max, int32_t today, const Persist& persist);
  // Adds a series read from disk. kCorruption when its labels or fingerprint contradict another's.
  Status Load(TenantId tenant, std::string_view tenant_name, std::string_view canonical, uint64_t fingerprint);

  const SeriesInfo& Get(SeriesOrdinal series) const;
  PackedLabels LabelsOf(SeriesOrdinal series) const;
  std::optional<SeriesOrdinal> FindFingerprint(uint64_t fingerprint) const;
  size_t size() const;

  // The series has a sample on each of these days. Quick when it is known.
  void MarkActive(SeriesOrdinal series, DayRange days);

  // The tenant's series that every matcher accepts and that were active in `days`, in order of their labels. An
  // unbounded range also takes series that were never active.
  std::vector<SeriesOrdinal> Select(TenantId tenant, const std::vector<Matcher>& matchers, DayRange days) const;
  std::vector<std::string> LabelNames(TenantId tenant, const std::vector<Matcher>& matchers, DayRange days) const;
  std::vector<std::string> LabelValues(TenantId tenant, std::string_view name, const std::vector<Matcher>& matchers,
                                       DayRange days) const;
  // Fills in what the table knows: counts and lists, not times and chunks.
  CardinalityReport Cardinality(TenantId tenant, size_t limit) const;
  size_t MemoryBytes() const;

  static constexpr size_t kSeriesMax = size_t{1} << 27;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace varve
