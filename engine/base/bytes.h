// Reading and writing integers in byte strings: little endian in values, big endian in RocksDB keys
// (so that keys sort by number), LEB128 varints, zigzag for signed ones.
//
// ByteReader never reads past its end: after the first short read `ok()` is false, every later read
// returns zero or an empty view, and the caller checks once.
// Threads: thread-compatible. Ownership: a reader's views point into the bytes it was given.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace varve {

static_assert(std::endian::native == std::endian::little, "values on disk are little endian");

template <typename T>
inline void PutFixed(std::string* out, T value) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename T>
inline T LoadFixed(const char* p) {
  T value;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

inline void PutBigEndian64(std::string* out, uint64_t value) { PutFixed(out, __builtin_bswap64(value)); }
inline void PutBigEndian32(std::string* out, uint32_t value) { PutFixed(out, __builtin_bswap32(value)); }
inline void PutBigEndian16(std::string* out, uint16_t value) { PutFixed(out, __builtin_bswap16(value)); }

inline void PutVarint(std::string* out, uint64_t value) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

inline uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
inline int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}
inline void PutSignedVarint(std::string* out, int64_t value) { PutVarint(out, ZigZag(value)); }

// varint length, then the bytes.
inline void PutLengthPrefixed(std::string* out, std::string_view bytes) {
  PutVarint(out, bytes.size());
  out->append(bytes);
}

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : p_(bytes.data()), end_(p_ + bytes.size()) {}

  bool ok() const { return ok_; }
  size_t remaining() const { return static_cast<size_t>(end_ - p_); }
  bool AtEnd() const { return ok_ && p_ == end_; }

  template <typename T>
  T Fixed() {
    if (!ok_ || remaining() < sizeof(T)) return Fail<T>();
    T value = LoadFixed<T>(p_);
    p_ += sizeof(T);
    return value;
  }
  uint64_t BigEndian64() { return __builtin_bswap64(Fixed<uint64_t>()); }
  uint32_t BigEndian32() { return __builtin_bswap32(Fixed<uint32_t>()); }
  uint16_t BigEndian16() { return __builtin_bswap16(Fixed<uint16_t>()); }

  // At most ten bytes; a longer or overflowing one fails.
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && ok_ && p_ != end_; shift += 7) {
      const auto byte = static_cast<uint8_t>(*p_++);
      if (shift == 63 && byte > 1) break;
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return Fail<uint64_t>();
  }
  int64_t SignedVarint() { return UnZigZag(Varint()); }

  std::string_view Bytes(uint64_t size) {
    if (!ok_ || remaining() < size) return Fail<std::string_view>();
    std::string_view view(p_, size);
    p_ += size;
    return view;
  }
  std::string_view LengthPrefixed() {
    const uint64_t size = Varint();
    return Bytes(size);
  }

 private:
  template <typename T>
  T Fail() {
    ok_ = false;
    return T{};
  }

  const char* p_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace varve
