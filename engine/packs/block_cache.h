// Decoded columns of blocks of packs, kept within a memory budget.
//
// Sharded; each shard is a segmented LRU: a new value enters on *probation* and moves to the
// *protected* segment when it is asked for again, so one large scan pushes out only what was itself
// read once. Values without lines (timestamps, lengths: what counting needs) are an eighth of the size
// and skip probation. A value larger than an eighth of a shard is not kept.
// Values are immutable and shared: an evicted one lives on while a reader holds it.
// Threads: thread-safe. Ownership: the budget must outlive the cache.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/memory_budget.h"
#include "engine/scan.h"

namespace varve {

class BlockCache {
 public:
  // `budget`'s limit is the size of the cache; nobody else may reserve from it. 0 shards: one for each
  // 32 MiB, at most 16, so that a block of the usual size is never too large for its shard.
  explicit BlockCache(MemoryBudget* budget, uint32_t shard_count = 0);
  ~BlockCache();
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  // A value that has at least the columns in `want`, or null. `pack` is PackId::number.
  std::shared_ptr<const LogColumns> Find(uint64_t pack, uint32_t block, ColumnMask want);
  // Offers a value that has the columns in `mask`. True when the cache now
  // holds this very object (and counts it); false when it is too large or the cache has as good a one.
  bool Insert(uint64_t pack, uint32_t block, ColumnMask mask, std::shared_ptr<const LogColumns> columns);
  // Forgets a dropped pack. Costs a walk over all entries.
  void ErasePack(uint64_t pack);

  uint64_t hits() const;
  uint64_t misses() const;
  int64_t used_bytes() const;

 private:
  struct Shard;
  Shard& ShardOf(uint64_t pack, uint32_t block) const;

  MemoryBudget* const budget_;
  const int64_t shard_bytes_max_;
  std::vector<std::unique_ptr<Shard>> shards_;  // constant after construction
};

}  // namespace varve
