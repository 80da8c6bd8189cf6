// zstd behind one door: whole buffers, sizes known and bounded on both sides.
//
// Threads: thread-safe; each thread keeps one context of each kind, reused from call to call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace varve {

// As stored on disk.
enum class Compression : uint8_t {
  kNone = 0,
  kZstd = 1,  // one frame with its content size
};

// Appends `raw` to `out`, compressed when that is smaller; returns which.
Compression AppendCompressed(std::string_view raw, std::string* out);

// Appends one zstd frame, whatever its size.
void AppendZstdFrame(std::string_view raw, std::string* out);

// kCorruption when `encoded` does not claim to hold `decoded_size` bytes, which the caller has checked
// against a limit of its own. To be called before allocating them.
Status CheckDecodedSize(Compression compression, std::string_view encoded, size_t decoded_size);

// Writes exactly `decoded_size` bytes to `dst`; kCorruption when `encoded` does not hold just as many.
Status Decompress(Compression compression, std::string_view encoded, char* dst, size_t decoded_size);

}  // namespace varve
