// A sequence of doubles in time order, as exact integers where they are decimals (k / 10^e, or k * 10^-e as
// many exporters compute them), as their bits where they are not; NaNs and other strangers stand beside as
// patches.
//
// Bytes on disk: docs/format.md, "Double sequence". The number of values is not stored; the reader knows it.
// Every bit pattern comes back: -0, NaN payloads, stale markers, infinities. Threads: free functions,
// thread-safe; each thread keeps scratch buffers.
#pragma once

#include <span>
#include <string>

#include "engine/base/bytes.h"

namespace varve {

// Appends to `out`; nothing for an empty sequence.
void EncodeDoubleSequence(std::span<const double> values, std::string* out);

// Fills `out` (its size is the number of values) from where `reader` stands. False when the bytes are not a
// sequence of that many.
[[nodiscard]] bool DecodeDoubleSequence(ByteReader* reader, std::span<double> out);

}  // namespace varve
