// Bytes that live as long as the row or document they are made for: decoded values, composed names, formatted
// lines.
//
// A bump allocator that keeps its first chunk, so that rows cost no allocation in the steady state.
// Threads: thread-compatible. Ownership: owns what it hands out until Clear.
#pragma once

#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace varve::templates {

class ByteArena {
 public:
  // Uninitialised bytes; `size` may be 0.
  char* Allocate(size_t size) {
    if (size > left_) [[unlikely]]
      Grow(size);
    char* bytes = next_;
    next_ += size;
    left_ -= size;
    return bytes;
  }
  // Gives back the last `unused` bytes of the latest allocation.
  void ShrinkLast(size_t unused) {
    next_ -= unused;
    left_ += unused;
  }
  std::string_view Store(std::string_view bytes) {
    if (bytes.empty()) return {};
    char* copy = Allocate(bytes.size());
    std::memcpy(copy, bytes.data(), bytes.size());
    return {copy, bytes.size()};
  }
  std::string_view Concat(std::string_view a, std::string_view b) {
    char* copy = Allocate(a.size() + b.size());
    if (!a.empty()) std::memcpy(copy, a.data(), a.size());
    if (!b.empty()) std::memcpy(copy + a.size(), b.data(), b.size());
    return {copy, a.size() + b.size()};
  }
  void Clear() {
    if (chunks_.empty()) return;
    chunks_.resize(1);
    next_ = chunks_[0].bytes.get();
    left_ = chunks_[0].size;
  }

 private:
  static constexpr size_t kChunkBytes = 16 << 10;
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    size_t size = 0;
  };

  void Grow(size_t size) {
    const size_t chunk = size > kChunkBytes ? size : kChunkBytes;
    chunks_.push_back({std::make_unique_for_overwrite<char[]>(chunk), chunk});
    next_ = chunks_.back().bytes.get();
    left_ = chunk;
  }

  std::vector<Chunk> chunks_;
  char* next_ = nullptr;
  size_t left_ = 0;
};

}  // namespace varve::templates
