// What a reader sees of the metric store: the series that match, and for each where its samples lie.
//
// Of each shard the pointers to catalog, sealed and active head are taken under its lock; a commit replaces a sealed
// head by its packs under that lock, so nothing is seen twice or missed. The active head goes on growing: what lies in
// it is read under the shard's lock, and of what came in order only what was there when the snapshot was taken.
// Threads: immutable; thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/metric_scan.h"
#include "engine/metrics/metric_deletes.h"
#include "engine/metrics/metric_packs.h"
#include "engine/metrics/metric_shard.h"

namespace varve {

// A pack summary counts in nanoseconds, clamped: packs of metrics as well.
int64_t MsOfPackTime(int64_t ts_ns);

struct MetricSelection {
  struct Shard {
    const MetricShard* shard = nullptr;
    MetricShardView view;
    std::vector<CatalogPackPtr> packs;  // that touch the range; in order of arrival
  };
  // A series in a pack.
  struct PackRef {
    uint32_t pack = 0;    // index into Shard::packs
    uint32_t number = 0;  // of the series, in it
  };
  struct Series {
    SeriesOrdinal ordinal = 0;
    uint32_t shard = 0;  // index into shards
    uint32_t active_slot = MetricHead::kNone;
    uint32_t active_ordered = 0;  // MetricHead::OrderedCount
    uint32_t sealed_slot = MetricHead::kNone;
    uint32_t refs_begin = 0;  // into refs
    uint32_t refs_end = 0;
    // Has a sample in the range for sure; otherwise it only may.
    bool certain = false;
  };
  MetricRange range;  // what is kept of that asked for
  std::vector<Shard> shards;
  std::vector<Series> series;  // ascending by labels
  std::vector<PackRef> refs;
  MetricDeletes deletes;  // that may hide something in the range
};

class MetricSnapshotImpl final : public MetricSnapshot {
 public:
  // `packs` must outlive this.
  MetricSnapshotImpl(MetricPacks* packs, MetricSelection selection, std::vector<PackedLabels> labels)
      : packs_(packs), selection_(std::move(selection)), labels_(std::move(labels)) {}

  size_t size() const override { return selection_.series.size(); }
  const PackedLabels& labels(size_t series) const override { return labels_[series]; }
  Status Read(size_t series, MetricRange range, MemoryBudget* budget, SeriesSamples* out) const override;

 private:
  Status ReadPacks(size_t series, MetricRange range, MemoryBudget* budget, SeriesSamples* out) const;

  MetricPacks* const packs_;
  const MetricSelection selection_;
  const std::vector<PackedLabels> labels_;  // by series
};

}  // namespace varve
