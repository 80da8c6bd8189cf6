// Memory for the strings of one request that are not views into its body: unescaped JSON, repaired UTF-8,
// encoded metadata. Freed all at once; a few chunks are kept for the next request.
//
// Threads: thread-compatible. Ownership: what Allocate returns is valid until Reset.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "ingest/decode_memory.h"

namespace varve {

class ByteArena {
 public:
  // Starts a request; `memory` pays for new chunks until the next Reset. Keeps at most `keep_bytes`.
  void Reset(DecodeMemory* memory, size_t keep_bytes = kKeepBytes);

  // `size` bytes, or null when the memory budget refuses (status() says why).
  char* Allocate(size_t size) {
    if (size > static_cast<size_t>(end_ - next_)) [[unlikely]] {
      if (!NextChunk(size)) return nullptr;
    }
    char* bytes = next_;
    next_ += size;
    return bytes;
  }
  // Gives back the unused end of the latest allocation, which begins at `bytes`.
  void Trim(char* bytes, size_t used) { next_ = bytes + used; }
  // Takes the status of a refused Allocate.
  Status TakeStatus() { return std::move(status_); }

  size_t capacity() const;

 private:
  static constexpr size_t kChunkBytes = 64 << 10;
  static constexpr size_t kKeepBytes = 1 << 20;

  struct Chunk {
    std::unique_ptr<char[]> bytes;
    size_t size = 0;
  };
  bool NextChunk(size_t size);

  DecodeMemory* memory_ = nullptr;
  std::vector<Chunk> chunks_;
  size_t used_chunks_ = 0;
  char* next_ = nullptr;
  char* end_ = nullptr;
  Status status_;
};

}  // namespace varve
