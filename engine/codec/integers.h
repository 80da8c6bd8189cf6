// A column of unsigned integers, stored in the smallest of three forms: bit-packed with exceptions,
// byte planes under zstd, or one repeated value.
//
// Bytes on disk: docs/format.md, "Integers". The number of values is not stored; the reader knows it.
// Threads: free functions, thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/bytes.h"

namespace varve {

void EncodeIntegers(std::span<const uint64_t> values, std::string* out);

// Fills `out` (its size is the number of values) from where `reader` stands. False when the bytes are
// not a column of that many.
[[nodiscard]] bool DecodeIntegers(ByteReader* reader, std::span<uint64_t> out);

}  // namespace varve
