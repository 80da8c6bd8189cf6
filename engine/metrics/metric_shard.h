// A lock domain over series of metrics: the newest samples of the series whose targets fall to it, and its packs.
//
// Lock order: append_mu of several shards in ascending order → mu. An append holds the append_mu of its shards from
// judging its samples until they are in the heads, over the journal's write; so whoever holds one sees every record up
// to the journal's last number applied, and may read the head without mu. Readers take mu alone and never wait for the
// journal.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/base/mutex.h"
#include "engine/head/metric_head.h"
#include "engine/journal/journal.h"
#include "engine/pack_catalog.h"

namespace varve {

struct MetricShard {
  uint16_t number = 0;  // from kMetricShardFirst on; constant after construction
  // No sample of a pack found at open is later; constant after that.
  int64_t packs_max_ms = INT64_MIN;

  Mutex append_mu;  // before mu; whoever changes `active` or what it points to holds both

  mutable SharedMutex mu;
  std::shared_ptr<MetricHead> active VARVE_GUARDED_BY(mu);  // never null
  // Cut, and being encoded; null when there is none. A commit replaces it by packs under mu.
  std::shared_ptr<const MetricHead> sealed VARVE_GUARDED_BY(mu);
  JournalSeq sealed_through VARVE_GUARDED_BY(mu) = 0;
  std::shared_ptr<const Catalog> catalog VARVE_GUARDED_BY(mu);  // never null; ascending by origin

  // The head, for the holder of append_mu.
  MetricHead* active_for_append() VARVE_REQUIRES(append_mu) VARVE_NO_THREAD_SAFETY_ANALYSIS { return active.get(); }
  const MetricHead* sealed_for_append() VARVE_REQUIRES(append_mu) VARVE_NO_THREAD_SAFETY_ANALYSIS {
    return sealed.get();
  }
};

// What a reader takes of a shard, at one moment.
struct MetricShardView {
  std::shared_ptr<const Catalog> catalog;
  std::shared_ptr<const MetricHead> sealed;
  std::shared_ptr<const MetricHead> active;  // still changing: to be read under the shard's mu

  static MetricShardView Of(const MetricShard& shard) VARVE_EXCLUDES(shard.mu) {
    const ReaderLock lock(shard.mu);
    return {.catalog = shard.catalog, .sealed = shard.sealed, .active = shard.active};
  }
};

}  // namespace varve
