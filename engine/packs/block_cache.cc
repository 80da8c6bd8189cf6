#include "engine/packs/block_cache.h"

#include <algorithm>
#include <atomic>
#include <list>
#include <unordered_map>
#include <utility>

#include "engine/base/mutex.h"

namespace varve {

namespace {

constexpr int64_t kLargestShareOfShard = 8;  // a value takes at most one eighth
constexpr int64_t kProtectedPercent = 80;

struct Key {
  uint64_t pack;
  uint32_t block;
  bool operator==(const Key&) const = default;
};

uint64_t Mix(const Key& key) {
  uint64_t h = (key.pack + 1) * 0x9E3779B97F4A7C15ULL + key.block;
  h ^= h >> 32;
  h *= 0xD6E8FEB86659FD93ULL;
  return h ^ (h >> 32);
}

struct KeyHash {
  size_t operator()(const Key& key) const { return Mix(key); }
};

struct Entry {
  Key key;
  ColumnMask mask;
  int64_t bytes;
  bool is_protected;
  std::shared_ptr<const LogColumns> columns;
};

int64_t ShardCount(int64_t bytes, uint32_t wanted) {
  constexpr int64_t kBytesPerShard = 32 << 20;
  constexpr int64_t kShardsMax = 16;
  return wanted != 0 ? wanted : std::clamp<int64_t>(bytes / kBytesPerShard, 1, kShardsMax);
}

ColumnMask Implied(ColumnMask mask) { return (mask & kLines) != 0 ? mask | kLengths : mask; }
bool Covers(ColumnMask have, ColumnMask want) { return (have & want) == want; }

}  // namespace

struct BlockCache::Shard {
  using List = std::list<Entry>;  // most recently used first

  Mutex mu;
  List probation VARVE_GUARDED_BY(mu);
  List protected_list VARVE_GUARDED_BY(mu);
  // Entries of one block with different columns; rarely more than two.
  std::unordered_map<Key, std::vector<List::iterator>, KeyHash> by_key VARVE_GUARDED_BY(mu);
  int64_t bytes VARVE_GUARDED_BY(mu) = 0;
  int64_t protected_bytes VARVE_GUARDED_BY(mu) = 0;
  // Statistics only.
  std::atomic<uint64_t> hits{0};
  std::atomic<uint64_t> misses{0};

  List& ListOf(const Entry& entry) VARVE_REQUIRES(mu) {
    return entry.is_protected ? protected_list : probation;
  }

  // Moves an entry that was asked for to the front of the protected segment, and what no longer fits
  // there back to probation.
  void Promote(List::iterator it, int64_t protected_max) VARVE_REQUIRES(mu) {
    protected_list.splice(protected_list.begin(), ListOf(*it), it);
    if (!it->is_protected) protected_bytes += it->bytes;
    it->is_protected = true;
    while (protected_bytes > protected_max && protected_list.size() > 1) {
      const auto last = std::prev(protected_list.end());
      last->is_protected = false;
      protected_bytes -= last->bytes;
      probation.splice(probation.begin(), protected_list, last);
    }
  }

  void Erase(List::iterator it, MemoryBudget* budget) VARVE_REQUIRES(mu) {
    const auto variants = by_key.find(it->key);
    std::erase(variants->second, it);
    if (variants->second.empty()) by_key.erase(variants);
    bytes -= it->bytes;
    if (it->is_protected) protected_bytes -= it->bytes;
    budget->Release(it->bytes);
    ListOf(*it).erase(it);
  }

  bool EvictOne(MemoryBudget* budget) VARVE_REQUIRES(mu) {
    List& list = probation.empty() ? protected_list : probation;
    if (list.empty()) return false;
    Erase(std::prev(list.end()), budget);
    return true;
  }
};

BlockCache::BlockCache(MemoryBudget* budget, uint32_t shard_count)
    : budget_(budget),
      shard_bytes_max_(budget->limit_bytes() / ShardCount(budget->limit_bytes(), shard_count)),
      shards_(static_cast<size_t>(ShardCount(budget->limit_bytes(), shard_count))) {
  for (auto& shard : shards_) shard = std::make_unique<Shard>();
}

BlockCache::~BlockCache() {
  for (const auto& shard : shards_) {
    MutexLock lock(shard->mu);
    while (shard->EvictOne(budget_)) {
    }
  }
}

BlockCache::Shard& BlockCache::ShardOf(uint64_t pack, uint32_t block) const {
  return *shards_[(Mix({pack, block}) >> 40) % shards_.size()];
}

std::shared_ptr<const LogColumns> BlockCache::Find(uint64_t pack, uint32_t block, ColumnMask want) {
  Shard& shard = ShardOf(pack, block);
  MutexLock lock(shard.mu);
  const auto variants = shard.by_key.find({pack, block});
  if (variants != shard.by_key.end()) {
    for (const auto it : variants->second) {
      if (!Covers(it->mask, Implied(want))) continue;
      shard.hits.fetch_add(1, std::memory_order_relaxed);
      shard.Promote(it, shard_bytes_max_ * kProtectedPercent / 100);
      return it->columns;
    }
  }
  shard.misses.fetch_add(1, std::memory_order_relaxed);
  return nullptr;
}

bool BlockCache::Insert(uint64_t pack, uint32_t block, ColumnMask mask,
                        std::shared_ptr<const LogColumns> columns) {
  mask = Implied(mask);
  const Key key{pack, block};
  const int64_t bytes = columns->MemoryBytes();
  if (bytes > shard_bytes_max_ / kLargestShareOfShard) return false;
  Shard& shard = ShardOf(pack, block);
  MutexLock lock(shard.mu);
  if (const auto variants = shard.by_key.find(key); variants != shard.by_key.end()) {
    const auto have = variants->second;  // a copy: Erase changes the original
    for (const auto it : have) {
      if (Covers(it->mask, mask)) return false;
    }
    for (const auto it : have) {
      if (Covers(mask, it->mask)) shard.Erase(it, budget_);
    }
  }
  while (shard.bytes + bytes > shard_bytes_max_ && shard.EvictOne(budget_)) {
  }
  // The budget's ancestors may be tighter than its own limit.
  while (!budget_->Reserve(bytes).ok()) {
    if (!shard.EvictOne(budget_)) return false;
  }
  shard.probation.push_front({key, mask, bytes, false, std::move(columns)});
  const auto it = shard.probation.begin();
  shard.by_key[key].push_back(it);
  shard.bytes += bytes;
  if ((mask & kLines) == 0) shard.Promote(it, shard_bytes_max_ * kProtectedPercent / 100);
  return true;
}

void BlockCache::ErasePack(uint64_t pack) {
  for (const auto& shard : shards_) {
    MutexLock lock(shard->mu);
    for (Shard::List* list : {&shard->probation, &shard->protected_list}) {
      for (auto it = list->begin(); it != list->end();) {
        const auto next = std::next(it);
        if (it->key.pack == pack) shard->Erase(it, budget_);
        it = next;
      }
    }
  }
}

uint64_t BlockCache::hits() const {
  uint64_t sum = 0;
  for (const auto& shard : shards_) sum += shard->hits.load(std::memory_order_relaxed);
  return sum;
}

uint64_t BlockCache::misses() const {
  uint64_t sum = 0;
  for (const auto& shard : shards_) sum += shard->misses.load(std::memory_order_relaxed);
  return sum;
}

int64_t BlockCache::used_bytes() const {
  int64_t sum = 0;
  for (const auto& shard : shards_) {
    MutexLock lock(shard->mu);
    sum += shard->bytes;
  }
  return sum;
}

}  // namespace varve
