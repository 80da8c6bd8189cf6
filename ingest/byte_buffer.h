// A growable byte buffer that does not clear what it allocates, kept from request to request.
//
// Threads: thread-compatible.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace varve {

class ByteBuffer {
 public:
  char* data() { return bytes_.get(); }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  std::string_view view() const { return {bytes_.get(), size_}; }

  // At least `capacity` bytes; keeps the first size() of them.
  void Reserve(size_t capacity) {
    if (capacity <= capacity_) return;
    auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ != 0) std::memcpy(bytes.get(), bytes_.get(), size_);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }
  // `size` is at most capacity(); new bytes are whatever was there.
  void SetSize(size_t size) { size_ = size; }
  void Append(std::string_view bytes) {
    if (bytes.size() > capacity_ - size_) Reserve((size_ + bytes.size()) * 2);
    if (!bytes.empty()) std::memcpy(bytes_.get() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void Clear() { size_ = 0; }
  // Frees a buffer that grew beyond `keep_bytes`; for the end of a request.
  void ClearAndTrim(size_t keep_bytes) {
    size_ = 0;
    if (capacity_ <= keep_bytes) return;
    bytes_.reset();
    capacity_ = 0;
  }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace varve
