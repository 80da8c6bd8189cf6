// Fixed-width integers, bit after bit, least significant first.
//
// UnpackBits is compiled for several instruction sets and chosen at run time; UnpackBitsScalar is the
// plain twin that tests compare it with.
// Threads: free functions, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace varve {

constexpr size_t PackedBytes(size_t count, unsigned width) { return (count * width + 7) / 8; }

// Appends PackedBytes(count, width) bytes: the low `width` (0 to 64) bits of each value.
void PackBits(const uint64_t* values, size_t count, unsigned width, std::string* out);

// out[i] = base + value i, modulo 2^64. Reads exactly PackedBytes(count, width) bytes of `in`.
void UnpackBits(const char* in, size_t count, unsigned width, uint64_t base, uint64_t* out);
void UnpackBitsScalar(const char* in, size_t count, unsigned width, uint64_t base, uint64_t* out);

}  // namespace varve
