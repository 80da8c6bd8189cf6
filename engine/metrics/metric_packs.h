// Reading metric packs: their directories by series ordinal, and their blocks, each kept within a memory budget.
//
// A block's checksum is verified when it enters the cache; a chunk in it is then decoded alone.
// Threads: thread-safe; what is handed out is immutable. Two threads that miss the same thing may both read it.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/base/memory_budget.h"
#include "engine/base/mutex.h"
#include "engine/codec/metric_block.h"
#include "engine/index/series_table.h"
#include "engine/index/stream_table.h"
#include "engine/metric_scan.h"
#include "engine/pack_catalog.h"
#include "engine/packs/metric_pack_directory.h"
#include "engine/packs/pack_store.h"

namespace varve {

// A directory, its series by ordinal. Without labels and fingerprints.
struct MetricPackIndex {
  MetricPackDirectory directory;
  std::vector<std::pair<SeriesOrdinal, uint32_t>> series;  // and their numbers in the pack; ascending
  int64_t MemoryBytes() const;
};

// Values by (pack, block), the least recently used go first.
class MetricBlockCache {
 public:
  // `budget`'s limit is the size of the cache, of which each of the shards has an equal share.
  MetricBlockCache(MemoryBudget* budget, size_t shard_count);
  ~MetricBlockCache();
  MetricBlockCache(const MetricBlockCache&) = delete;
  MetricBlockCache& operator=(const MetricBlockCache&) = delete;

  std::shared_ptr<const void> Find(uint64_t pack, uint32_t block);
  // False when it is too large.
  bool Insert(uint64_t pack, uint32_t block, std::shared_ptr<const void> value, int64_t bytes);
  void ErasePack(uint64_t pack);
  uint64_t hits() const { return hits_.load(std::memory_order_relaxed); }
  uint64_t misses() const { return misses_.load(std::memory_order_relaxed); }

 private:
  struct Key {
    uint64_t pack;
    uint32_t block;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const { return (key.pack * 0x9E3779B97F4A7C15) ^ (key.block * 0xC2B2AE3D27D4EB4F); }
  };
  struct Slot {
    Key key;
    std::shared_ptr<const void> value;
    int64_t bytes;
  };
  struct Shard {
    Mutex mu;
    int64_t used VARVE_GUARDED_BY(mu) = 0;
    std::list<Slot> newest_first VARVE_GUARDED_BY(mu);
    std::unordered_map<Key, std::list<Slot>::iterator, KeyHash> by_key VARVE_GUARDED_BY(mu);
  };
  Shard& ShardOf(const Key& key) { return *shards_[(KeyHash()(key) >> 32) % shards_.size()]; }

  MemoryBudget* const budget_;
  const int64_t shard_bytes_max_;
  std::vector<std::unique_ptr<Shard>> shards_;  // constant after construction
  std::atomic<uint64_t> hits_{0};
  std::atomic<uint64_t> misses_{0};
};

class MetricPacks {
 public:
  // All must outlive this. Series that a directory names and the table does not know (their identity was lost from the
  // hot database) are added to it. `blocks` and `indexes` are nobody else's.
  MetricPacks(const PackStore* store, SeriesTable* series, StreamTable* tenants, MemoryBudget* blocks,
              MemoryBudget* indexes)
      : store_(store), series_(series), tenants_(tenants), blocks_(blocks, 8), indexes_(indexes, 1) {}

  // Notes on the way, once, on which days the pack's series were active. An error names the pack.
  Result<std::shared_ptr<const MetricPackIndex>> Index(const PackId& id);
  // Takes a directory with its labels that is at hand.
  Status PutIndex(const PackId& id, MetricPackDirectory directory);
  // Appends the samples in `range` of the series with this number in the pack, ascending. Errors as
  // MetricSnapshot::Read.
  Status Read(const PackId& id, const MetricPackIndex& index, uint32_t number, MetricRange range, MemoryBudget* budget,
              SeriesSamples* append);
  void ErasePack(uint64_t number);
  uint64_t block_hits() const { return blocks_.hits(); }
  uint64_t block_misses() const { return blocks_.misses(); }

 private:
  class Timelines;

  Result<std::shared_ptr<const MetricPackIndex>> Convert(const PackId& id, MetricPackDirectory directory);
  // The parsed block, from the cache or the store. What the cache does not take is charged to `charge`.
  template <typename Parsed>
  Result<std::shared_ptr<const Parsed>> Block(const PackId& id, uint32_t block, MemoryReservation* charge);

  const PackStore* const store_;
  SeriesTable* const series_;
  StreamTable* const tenants_;
  MetricBlockCache blocks_;
  MetricBlockCache indexes_;
  Mutex mu_;
  std::unordered_set<uint64_t> marked_ VARVE_GUARDED_BY(mu_);  // packs whose series' days are noted
};

}  // namespace varve
