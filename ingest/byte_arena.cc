#include "ingest/byte_arena.h"

#include <algorithm>

namespace varve {

void ByteArena::Reset(DecodeMemory* memory, size_t keep_bytes) {
  memory_ = memory;
  size_t kept = 0;
  size_t count = 0;
  while (count < chunks_.size() && kept + chunks_[count].size <= keep_bytes) kept += chunks_[count++].size;
  chunks_.resize(count);
  used_chunks_ = 0;
  next_ = end_ = nullptr;
  status_ = Status::Ok();
}

bool ByteArena::NextChunk(size_t size) {
  // The first kept chunk that is big enough; smaller ones in between stay unused until the next request.
  while (used_chunks_ < chunks_.size() && chunks_[used_chunks_].size < size) ++used_chunks_;
  if (used_chunks_ == chunks_.size()) {
    const size_t chunk_size = std::max(size, kChunkBytes);
    status_ = memory_->Add(static_cast<int64_t>(chunk_size));
    if (!status_.ok()) return false;
    chunks_.push_back({std::make_unique_for_overwrite<char[]>(chunk_size), chunk_size});
  }
  Chunk& chunk = chunks_[used_chunks_++];
  next_ = chunk.bytes.get();
  end_ = next_ + chunk.size;
  return true;
}

size_t ByteArena::capacity() const {
  size_t total = 0;
  for (const Chunk& chunk : chunks_) total += chunk.size;
  return total;
}

}  // namespace varve
