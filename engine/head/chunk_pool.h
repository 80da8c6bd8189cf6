// Large pieces of memory for heads, mapped from the system and given back to it.
//
// Heads come and go by tens of megabytes; from malloc they would leave holes between longer-lived
// allocations and the process would never shrink. A few free chunks are kept, because a fresh mapping
// costs a page fault per 4 KiB.
// Every chunk in use counts against the budget (by force: a journalled entry must find room).
// Threads: thread-safe. Ownership: the pool must outlive its chunks.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/base/memory_budget.h"
#include "engine/base/mutex.h"

namespace varve {

class ChunkPool {
 public:
  static constexpr size_t kChunkBytes = 256 << 10;

  // A mapping; returns itself to the pool when destroyed.
  class Chunk {
   public:
    Chunk(ChunkPool* pool, char* data, size_t size) : pool_(pool), data_(data), size_(size) {}
    Chunk(Chunk&& other) noexcept : pool_(other.pool_), data_(other.data_), size_(other.size_) {
      other.data_ = nullptr;
    }
    Chunk& operator=(Chunk&&) = delete;
    ~Chunk() {
      if (data_ != nullptr) pool_->Return(data_, size_);
    }
    char* data() const { return data_; }
    size_t size() const { return size_; }

   private:
    ChunkPool* pool_;
    char* data_;
    size_t size_;
  };

  ChunkPool(MemoryBudget* budget, size_t free_chunks_max)
      : budget_(budget), free_chunks_max_(free_chunks_max) {}
  ~ChunkPool();
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  // At least `bytes` bytes, aligned to a page, contents undefined. kChunkBytes unless more is asked for.
  Chunk Acquire(size_t bytes) VARVE_EXCLUDES(mu_);

 private:
  void Return(char* data, size_t size) VARVE_EXCLUDES(mu_);

  MemoryBudget* const budget_;
  const size_t free_chunks_max_;
  Mutex mu_;
  std::vector<char*> free_ VARVE_GUARDED_BY(mu_);  // all of kChunkBytes
};

}  // namespace varve
