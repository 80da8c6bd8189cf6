// Dropping what is older than the retention period: first from the catalog, then, when the last
// snapshot that may read it is gone, from the disk.
#include <algorithm>
#include <chrono>
#include <limits>

#include "engine/base/failpoint.h"
#include "engine/engine_impl.h"

namespace varve {

int64_t EngineImpl::RetentionBeginNs() const {
  if (options_.retention_ns <= 0) return std::numeric_limits<int64_t>::min();
  return options_.clock->NowNs() - options_.retention_ns;
}

int64_t EngineImpl::RetentionBeginNs(StreamOrdinal) const { return RetentionBeginNs(); }

void EngineImpl::RunRetention() {
  const auto interval = std::chrono::milliseconds(std::max<int64_t>(1, options_.retention_check_interval_ms));
  while (!closing_.load(std::memory_order_relaxed)) {
    // A failed commit is tried again at the next check; until then readers clip.
    DropExpiredPacks().IgnoreError("tried again at the next check");
    FreeDroppedPacks();
    const MutexLock lock(cut_mu_);
    if (!closing_.load(std::memory_order_relaxed)) retention_wake_.WaitFor(cut_mu_, interval);
  }
}

Status EngineImpl::DropExpiredPacks() {
  const int64_t begin_ns = RetentionBeginNs();
  if (begin_ns == std::numeric_limits<int64_t>::min()) return Status::Ok();
  const auto expired = [begin_ns](const CatalogPackPtr& pack) { return pack->summary.max_ts_ns < begin_ns; };
  const MutexLock commit_lock(commit_mu_);
  MetaCommit commit;
  for (const auto& shard : shards_) {
    const MutexLock lock(shard->mu);
    for (const CatalogPackPtr& pack : *shard->catalog) {
      if (expired(pack)) commit.removed.push_back(EncodeCatalogKey(pack->id));
    }
  }
  if (commit.removed.empty()) return Status::Ok();
  VARVE_RETURN_IF_ERROR(stores_.meta->Commit(commit));
  VARVE_KILL_POINT("after_retention_commit");
  for (const auto& shard : shards_) {
    const MutexLock lock(shard->mu);
    auto kept = std::make_shared<Catalog>();
    for (const CatalogPackPtr& pack : *shard->catalog)
      (expired(pack) ? dropped_packs_ : *kept).push_back(pack);
    shard->catalog = std::move(kept);
  }
  // Readers have long been clipped at this instant; but should the clock be set back, they are not any more.
  generations_.Bump({.begin_ns = std::numeric_limits<int64_t>::min(), .end_ns = begin_ns});
  counters_.packs_dropped_by_retention.fetch_add(commit.removed.size(), std::memory_order_relaxed);
  return Status::Ok();
}

void EngineImpl::FreeDroppedPacks() {
  std::vector<PackId> free;
  {
    const MutexLock lock(commit_mu_);
    // Nobody can take a new reference: the catalogs no longer have it.
    std::erase_if(dropped_packs_, [&](const CatalogPackPtr& pack) {
      if (pack.use_count() != 1) return false;
      free.push_back(pack->id);
      return true;
    });
  }
  if (free.empty()) return;
  for (const PackId& id : free) {
    block_cache_.ErasePack(id.number);
    pack_indexes_.Erase(id);
  }
  stores_.packs->Drop(free).IgnoreError("they are orphans now; the next open drops them");
}

}  // namespace varve
