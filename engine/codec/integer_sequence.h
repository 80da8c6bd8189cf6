// A sequence of signed 64-bit integers in time order, stored as small as their regularity allows: constant,
// a straight line, or bit-packed residuals against the value before, the step before, or a line.
//
// Bytes on disk: docs/format.md, "Integer sequence". The number of values is not stored; the reader knows it.
// Every sequence comes back exactly: all arithmetic is modulo 2^64. Threads: free functions, thread-safe;
// each thread keeps scratch buffers.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/base/bytes.h"

namespace varve {

// Values in one sequence; more is refused by the decoder.
inline constexpr uint32_t kIntegerSequenceMax = 1 << 20;

// Appends to `out`; nothing for an empty sequence.
void EncodeIntegerSequence(std::span<const int64_t> values, std::string* out);

// Fills `out` (its size is the number of values) from where `reader` stands. False when the bytes are not a
// sequence of that many.
[[nodiscard]] bool DecodeIntegerSequence(ByteReader* reader, std::span<int64_t> out);

}  // namespace varve
