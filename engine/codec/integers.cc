// Packed form: per miniblock of 128, frame of reference with exceptions (PFOR). A histogram of bit
// lengths of v - base gives, for each width, the bits of the values plus the bytes of the exceptions;
// the cheapest width wins. 128 timestamps of a regular stream with one gap thus cost 0-2 bits each plus
// about six bytes, not 32 bits each.
#include "engine/codec/integers.h"

#include <algorithm>
#include <bit>

#include "engine/codec/bit_packing.h"
#include "engine/codec/compress.h"

namespace varve {

namespace {

constexpr size_t kMiniblock = 128;
enum Form : uint8_t { kPacked = 0, kBytePlanes = 1, kConstant = 2 };

// Below this many values a zstd frame's own overhead cannot be won back.
constexpr size_t kBytePlaneValuesMin = 64;

size_t VarintBytes(unsigned bits) { return std::max(1U, (bits + 6) / 7); }

// The width that makes the miniblock smallest, given how many values have which bit length.
unsigned CheapestWidth(const uint32_t (&values_of_length)[65], size_t count) {
  unsigned longest = 64;
  while (longest > 0 && values_of_length[longest] == 0) --longest;
  unsigned best_width = longest;
  size_t best_bytes = PackedBytes(count, longest);
  for (unsigned width = longest; width-- > 0;) {
    size_t bytes = PackedBytes(count, width);
    for (unsigned length = width + 1; length <= longest; ++length) {
      bytes += values_of_length[length] * (1 + VarintBytes(length - width));
    }
    if (bytes < best_bytes) {
      best_bytes = bytes;
      best_width = width;
    }
  }
  return best_width;
}

void EncodeMiniblock(const uint64_t* values, size_t count, std::string* out) {
  const uint64_t base = *std::min_element(values, values + count);
  uint64_t offsets[kMiniblock];
  uint32_t values_of_length[65] = {};
  for (size_t i = 0; i < count; ++i) {
    offsets[i] = values[i] - base;
    ++values_of_length[std::bit_width(offsets[i])];
  }
  const unsigned width = CheapestWidth(values_of_length, count);
  uint8_t exceptions[kMiniblock];
  size_t exception_count = 0;
  for (size_t i = 0; i < count; ++i) {
    if (static_cast<unsigned>(std::bit_width(offsets[i])) > width) {
      exceptions[exception_count++] = static_cast<uint8_t>(i);
    }
  }
  out->push_back(static_cast<char>(width));
  out->push_back(static_cast<char>(exception_count));
  PutVarint(out, base);
  PackBits(offsets, count, width, out);
  out->append(reinterpret_cast<const char*>(exceptions), exception_count);
  for (size_t e = 0; e < exception_count; ++e) PutVarint(out, offsets[exceptions[e]] >> width);
}

bool DecodeMiniblock(ByteReader* reader, size_t count, uint64_t* out) {
  const unsigned width = reader->Fixed<uint8_t>();
  const size_t exception_count = reader->Fixed<uint8_t>();
  const uint64_t base = reader->Varint();
  if (!reader->ok() || width > 64 || exception_count > count || (width == 64 && exception_count != 0)) {
    return false;
  }
  const std::string_view packed = reader->Bytes(PackedBytes(count, width));
  const std::string_view indexes = reader->Bytes(exception_count);
  if (!reader->ok()) return false;
  UnpackBits(packed.data(), count, width, base, out);
  int last = -1;
  for (const char c : indexes) {
    const int index = static_cast<uint8_t>(c);
    if (index <= last || static_cast<size_t>(index) >= count) return false;
    last = index;
    out[index] += reader->Varint() << width;
  }
  return reader->ok();
}

unsigned PlaneWidth(uint64_t greatest) {
  if (greatest <= 0xFF) return 1;
  if (greatest <= 0xFFFF) return 2;
  return greatest <= 0xFFFFFFFF ? 4 : 8;
}

void AppendBytePlanes(std::span<const uint64_t> values, unsigned width, std::string* out) {
  const size_t count = values.size();
  out->resize(count * width);
  for (unsigned plane = 0; plane < width; ++plane) {
    char* p = out->data() + plane * count;
    for (size_t i = 0; i < count; ++i) p[i] = static_cast<char>(values[i] >> (8 * plane));
  }
}

bool DecodeBytePlanes(ByteReader* reader, std::span<uint64_t> out) {
  const unsigned width = reader->Fixed<uint8_t>();
  const std::string_view frame = reader->LengthPrefixed();
  if (!reader->ok() || (width != 1 && width != 2 && width != 4 && width != 8)) return false;
  thread_local std::string planes;
  const size_t count = out.size();
  if (!CheckDecodedSize(Compression::kZstd, frame, count * width).ok()) return false;
  planes.resize(count * width);
  if (!Decompress(Compression::kZstd, frame, planes.data(), planes.size()).ok()) return false;
  std::fill(out.begin(), out.end(), 0);
  for (unsigned plane = 0; plane < width; ++plane) {
    const char* p = planes.data() + plane * count;
    for (size_t i = 0; i < count; ++i) {
      out[i] |= static_cast<uint64_t>(static_cast<uint8_t>(p[i])) << (8 * plane);
    }
  }
  return true;
}

}  // namespace

void EncodeIntegers(std::span<const uint64_t> values, std::string* out) {
  if (values.empty()) return;
  uint64_t least = values[0];
  uint64_t greatest = values[0];
  for (const uint64_t value : values) {  // two chains of conditional moves; minmax_element branches
    least = std::min(least, value);
    greatest = std::max(greatest, value);
  }
  if (least == greatest) {
    out->push_back(kConstant);
    PutVarint(out, least);
    return;
  }
  const size_t start = out->size();
  out->push_back(kPacked);
  for (size_t begin = 0; begin < values.size(); begin += kMiniblock) {
    EncodeMiniblock(values.data() + begin, std::min(kMiniblock, values.size() - begin), out);
  }
  if (values.size() < kBytePlaneValuesMin) return;

  thread_local std::string planes;
  thread_local std::string frame;
  const unsigned width = PlaneWidth(greatest);
  AppendBytePlanes(values, width, &planes);
  frame.clear();
  AppendZstdFrame(planes, &frame);
  if (frame.size() + 4 >= out->size() - start) return;
  out->resize(start);
  out->push_back(kBytePlanes);
  out->push_back(static_cast<char>(width));
  PutLengthPrefixed(out, frame);
}

bool DecodeIntegers(ByteReader* reader, std::span<uint64_t> out) {
  if (out.empty()) return true;
  switch (reader->Fixed<uint8_t>()) {
    case kPacked:
      if (!reader->ok()) return false;
      for (size_t begin = 0; begin < out.size(); begin += kMiniblock) {
        if (!DecodeMiniblock(reader, std::min(kMiniblock, out.size() - begin), out.data() + begin)) {
          return false;
        }
      }
      return true;
    case kBytePlanes: return DecodeBytePlanes(reader, out);
    case kConstant: {
      std::fill(out.begin(), out.end(), reader->Varint());
      return reader->ok();
    }
    default: return false;
  }
}

}  // namespace varve
