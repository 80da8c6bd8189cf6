#include "engine/head/chunk_pool.h"

#include <sys/mman.h>

namespace varve {

ChunkPool::~ChunkPool() {
  for (char* data : free_) munmap(data, kChunkBytes);
}

ChunkPool::Chunk ChunkPool::Acquire(size_t bytes) {
  size_t size = kChunkBytes;
  if (bytes <= kChunkBytes) {
    const MutexLock lock(mu_);
    if (!free_.empty()) {
      char* data = free_.back();
      free_.pop_back();
      budget_->ForceReserve(static_cast<int64_t>(size));
      return Chunk(this, data, size);
    }
  } else {
    constexpr size_t kPageBytes = 4096;
    size = (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  }
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  VARVE_CHECK(data != MAP_FAILED);  // out of address space or overcommit: as bad as bad_alloc
  budget_->ForceReserve(static_cast<int64_t>(size));
  return Chunk(this, static_cast<char*>(data), size);
}

void ChunkPool::Return(char* data, size_t size) {
  budget_->Release(static_cast<int64_t>(size));
  if (size == kChunkBytes) {
    const MutexLock lock(mu_);
    if (free_.size() < free_chunks_max_) {
      free_.push_back(data);
      return;
    }
  }
  munmap(data, size);
}

}  // namespace varve
