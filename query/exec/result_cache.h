// Keeps parts of the answers of metric range queries in memory.
//
// An *extent* is a run of steps of one query: `steps_per_extent` of them, aligned to multiples of that since
// 1970, so that queries whose ends move with the clock find the same ones. What is kept of it carries the
// number that the engine gave for everything it was computed from (Engine::DataGeneration); it may be used
// only while that number stands. cached_evaluation.h cuts, checks and joins; this is the store: least
// recently used goes first, bytes counted against a budget. Threads: thread-safe. Ownership: the parent
// budget must outlive it; extents are shared and immutable.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "engine/base/memory_budget.h"
#include "engine/base/mutex.h"
#include "query/exec/series_set.h"

namespace varve {

// The answer at steps [first_step, first_step + step_count); steps are numbered from 1970.
struct CachedExtent {
  int64_t first_step = 0;
  uint32_t step_count = 0;
  uint64_t generation = 0;
  SeriesSet series;  // each labels once; StepPoint::step counts from the begin of the extent

  // What it takes in memory.
  int64_t MemoryBytes() const;
};

class ResultCache {
 public:
  struct Key {
    // Whose query, which, at what step, in extents of how many steps.
    std::shared_ptr<const std::string> query;
    int64_t extent = 0;  // step number / steps per extent

    bool operator==(const Key& other) const { return extent == other.extent && *query == *other.query; }
  };
  // Relaxed counters, they publish nothing.
  struct Counters {
    std::atomic<uint64_t> hits{0}, misses{0}, stale{0}, stored{0}, evicted{0};
  };

  // `bytes_max` is its own bound; what it holds also counts against `parent` (may be null).
  ResultCache(int64_t bytes_max, MemoryBudget* parent);
  ~ResultCache();

  // Null when there is none. Whether it may still be used is the caller's to find out.
  std::shared_ptr<const CachedExtent> Find(const Key& key) VARVE_EXCLUDES(mu_);
  // Replaces what is there. False when there is no room for it: it is larger than an eighth of the cache, or
  // the parent's memory is needed elsewhere.
  bool Insert(const Key& key, std::shared_ptr<const CachedExtent> extent) VARVE_EXCLUDES(mu_);

  int64_t used_bytes() const { return budget_.used_bytes(); }
  int64_t limit_bytes() const { return budget_.limit_bytes(); }
  size_t size() const VARVE_EXCLUDES(mu_);
  // Hits, misses and stale ones are counted by cached_evaluation.cc, which tells them apart.
  Counters& counters() { return counters_; }
  const Counters& counters() const { return counters_; }

 private:
  struct Entry {
    Key key;
    std::shared_ptr<const CachedExtent> extent;
    int64_t bytes = 0;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const;
  };
  using Entries = std::list<Entry>;  // most recently used in front

  void Erase(Entries::iterator entry) VARVE_REQUIRES(mu_);

  MemoryBudget budget_;
  Counters counters_;
  mutable Mutex mu_;
  Entries entries_ VARVE_GUARDED_BY(mu_);
  std::unordered_map<Key, Entries::iterator, KeyHash> by_key_ VARVE_GUARDED_BY(mu_);
};

}  // namespace varve
