// Value i starts at bit i * width, so up to width 57 one unaligned 8-byte load at byte (i * width) / 8
// holds all of it: load, shift, mask, add. Loads near the end of the input would run over it; those
// values are taken from a padded copy of the last bytes.
#include "engine/codec/bit_packing.h"

#include <algorithm>
#include <cstring>

#include "engine/base/bytes.h"
#include "engine/base/check.h"

namespace varve {

namespace {

constexpr unsigned kOneLoadWidthMax = 57;

constexpr uint64_t LowBits(unsigned width) { return width >= 64 ? ~0ULL : (1ULL << width) - 1; }

// Needs 8 readable bytes from the last value's first byte on.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    defined(__GNUC__) && !defined(__clang__)
__attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#endif
void UnpackOneLoad(const char* in, size_t count, unsigned width, uint64_t base, uint64_t* out) {
  const uint64_t mask = LowBits(width);
  for (size_t i = 0; i < count; ++i) {
    const size_t bit = i * width;
    out[i] = base + ((LoadFixed<uint64_t>(in + (bit >> 3)) >> (bit & 7)) & mask);
  }
}

// The same for wider values, which may touch a ninth byte. Needs 9 readable bytes from the last value's first byte on.
void UnpackTwoLoads(const char* in, size_t count, unsigned width, uint64_t base, uint64_t* out) {
  const uint64_t mask = LowBits(width);
  for (size_t i = 0; i < count; ++i) {
    const size_t bit = i * width;
    const char* const p = in + (bit >> 3);
    const unsigned shift = bit & 7;
    // Shifted in two steps, as a shift by 64 would be undefined.
    const uint64_t high = (static_cast<uint64_t>(static_cast<unsigned char>(p[8])) << 1) << (63 - shift);
    out[i] = base + (((LoadFixed<uint64_t>(p) >> shift) | high) & mask);
  }
}

}  // namespace

void PackBits(const uint64_t* values, size_t count, unsigned width, std::string* out) {
  VARVE_DCHECK(width <= 64);
  const size_t start = out->size();
  out->resize(start + PackedBytes(count, width));
  if (width == 0) return;
  char* p = out->data() + start;
  uint64_t pending = 0;  // bits not yet written, `filled` of them
  unsigned filled = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t value = values[i] & LowBits(width);
    pending |= value << filled;
    if (filled + width >= 64) {
      std::memcpy(p, &pending, 8);
      p += 8;
      const unsigned written = 64 - filled;
      pending = written >= width ? 0 : value >> written;
      filled = filled + width - 64;
    } else {
      filled += width;
    }
  }
  std::memcpy(p, &pending, (filled + 7) / 8);
}

void UnpackBitsScalar(const char* in, size_t count, unsigned width, uint64_t base, uint64_t* out) {
  for (size_t i = 0; i < count; ++i) {
    uint64_t value = 0;
    for (unsigned b = 0; b < width; ++b) {
      const size_t bit = i * width + b;
      const auto byte = static_cast<unsigned char>(in[bit >> 3]);
      value |= static_cast<uint64_t>((byte >> (bit & 7)) & 1) << b;
    }
    out[i] = base + value;
  }
}

void UnpackBits(const char* in, size_t count, unsigned width, uint64_t base, uint64_t* out) {
  if (width == 0) {
    std::fill_n(out, count, base);
    return;
  }
  if (width > kOneLoadWidthMax) {
    // Behind the first byte of a value that another one follows there are 14 bytes or more.
    const size_t wide = count <= 2 ? 0 : (count - 2) & ~size_t{7};
    UnpackTwoLoads(in, wide, width, base, out);
    // At most nine are left; from a padded copy.
    char padded[9 * 8 + 9] = {};
    std::memcpy(padded, in + wide / 8 * width, PackedBytes(count - wide, width));
    UnpackTwoLoads(padded, count - wide, width, base, out + wide);
    return;
  }
  const size_t bytes = PackedBytes(count, width);
  // The values whose 8-byte load stays inside.
  const size_t inside = bytes < 8 ? 0 : std::min(count, ((bytes - 8) * 8 + 7) / width + 1);
  UnpackOneLoad(in, inside, width, base, out);
  if (inside == count) return;
  // The rest: fewer than 8 bytes hold the starts of all of them. Restart at a value on a byte boundary.
  const size_t restart = inside & ~size_t{7};
  const size_t offset = restart / 8 * width;
  char padded[8 * kOneLoadWidthMax / 8 + 16 + 8] = {};
  VARVE_DCHECK(bytes - offset + 8 <= sizeof(padded));
  std::memcpy(padded, in + offset, bytes - offset);
  UnpackOneLoad(padded, count - restart, width, base, out + restart);
}

}  // namespace varve
