// Exemplars of all tenants: in memory, and durable in the meta store. The oldest give way to new ones.
//
// Bytes: docs/format.md, "Exemplar". An exemplar is stored once however often it comes (after a crash the journal
// brings those again that were stored already).
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/index/series_table.h"
#include "engine/meta/meta_store.h"
#include "engine/metric_batch.h"
#include "engine/metric_store.h"

namespace varve {

class ExemplarStore {
 public:
  // Both must outlive this. At most `exemplars_max` are kept; 0: none are.
  ExemplarStore(MetaStore* meta, const SeriesTable* series, size_t exemplars_max)
      : meta_(meta), series_(series), exemplars_max_(exemplars_max) {}

  // Reads what is stored, once the series are known; those of unknown series are dropped.
  Status Load() VARVE_EXCLUDES(mu_);
  // How many were new.
  Result<size_t> Add(std::span<const MetricBatch::SeriesExemplar> items) VARVE_EXCLUDES(mu_);
  // The exemplars in `range` of each of `series` (in that order) that has any.
  std::vector<ExemplarSeries> Select(std::span<const SeriesOrdinal> series, MetricRange range) const
      VARVE_EXCLUDES(mu_);
  size_t size() const VARVE_EXCLUDES(mu_);

 private:
  struct Numbered {
    uint64_t number = 0;
    SeriesOrdinal series = 0;
  };
  struct Stored {
    uint64_t number = 0;
    Exemplar exemplar;
  };

  // False when it is there already.
  bool InsertLocked(uint64_t number, SeriesOrdinal series, const Exemplar& exemplar) VARVE_REQUIRES(mu_);
  void DropOldestLocked(std::vector<std::string>* removed) VARVE_REQUIRES(mu_);

  MetaStore* const meta_;
  const SeriesTable* const series_;
  const size_t exemplars_max_;

  mutable Mutex mu_;
  uint64_t next_number_ VARVE_GUARDED_BY(mu_) = 1;
  std::deque<Numbered> by_age_ VARVE_GUARDED_BY(mu_);
  std::unordered_map<SeriesOrdinal, std::vector<Stored>> by_series_ VARVE_GUARDED_BY(mu_);  // each ascending by time
};

}  // namespace varve
