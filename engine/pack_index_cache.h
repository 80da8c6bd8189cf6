// Pack directories as queries want them: by stream ordinal. Kept within a memory budget.
//
// Threads: thread-safe; a PackIndex is immutable. Two threads that miss the same pack may both read it.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/base/memory_budget.h"
#include "engine/base/mutex.h"
#include "engine/base/status.h"
#include "engine/index/stream_table.h"
#include "engine/packs/pack_store.h"

namespace varve {

struct PackIndex {
  // One stream's rows in one block.
  struct Entry {
    uint32_t block = 0;
    uint32_t row_begin = 0;
    uint32_t row_count = 0;
    uint32_t line_bytes = 0;
    int64_t min_ts_ns = 0;
    int64_t max_ts_ns = 0;
  };
  std::vector<StreamOrdinal> streams;  // ascending
  std::vector<uint32_t> first_entry;   // of streams[i]; one more at the end
  std::vector<Entry> entries;          // by stream, then by block
  std::vector<uint32_t> block_bytes;   // encoded

  std::span<const Entry> EntriesOf(size_t i) const {
    return std::span(entries).subspan(first_entry[i], first_entry[i + 1] - first_entry[i]);
  }
  int64_t MemoryBytes() const;
};

// What a failed read of a committed pack means: that the store does not know it is damage, not the asker's mistake.
Status CommittedPackError(Status status);

class PackIndexCache {
 public:
  // All must outlive the cache. Streams that a directory names and the table does not know (their
  // identity was lost from the hot database) are added to the table.
  PackIndexCache(const PackStore* store, StreamTable* streams, MemoryBudget* budget)
      : store_(store), streams_(streams), budget_(budget) {}
  ~PackIndexCache();

  // An error names the pack.
  Result<std::shared_ptr<const PackIndex>> Get(const PackId& id) VARVE_EXCLUDES(mu_);
  // Converts a directory that is at hand, so that it need not be read again.
  Status Put(const PackId& id, const PackDirectory& directory) VARVE_EXCLUDES(mu_);
  void Erase(const PackId& id) VARVE_EXCLUDES(mu_);

 private:
  struct Slot {
    uint64_t number = 0;
    std::shared_ptr<const PackIndex> index;
    int64_t bytes = 0;
  };

  Result<std::shared_ptr<const PackIndex>> Convert(const PackDirectory& directory) const;
  void Insert(const PackId& id, const std::shared_ptr<const PackIndex>& index) VARVE_EXCLUDES(mu_);

  const PackStore* const store_;
  StreamTable* const streams_;
  MemoryBudget* const budget_;
  Mutex mu_;
  std::list<Slot> newest_first_ VARVE_GUARDED_BY(mu_);
  std::unordered_map<uint64_t, std::list<Slot>::iterator> by_number_ VARVE_GUARDED_BY(mu_);
};

}  // namespace varve
