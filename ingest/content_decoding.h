// Content-Encoding: from the bytes on the wire to the bytes of the wire form, with bounded memory.
//
// A format that states its decoded size (snappy, LZ4 with size, zstd) is believed only where the size is
// within the limit and possible for that many compressed bytes; the others grow the output step by step.
// Memory is reserved before it is allocated, so a body that claims gigabytes costs nothing.
// Errors name the stage: kInvalidArgument "gzip: unexpected EOF", "snappy: corrupt input"; kTooLarge when
// the decoded form exceeds the limit.
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/status.h"
#include "ingest/byte_buffer.h"
#include "ingest/decode_memory.h"

namespace varve {

// Numbers are stored in journal records: docs/format.md, "Journal record".
enum class ContentEncoding : uint8_t {
  kIdentity = 0,
  kSnappy = 1,   // block format
  kGzip = 2,     // may have several members
  kDeflate = 3,  // raw DEFLATE, or wrapped by zlib
  kZstd = 4,
  kLz4Frame = 5,
  kLz4Block = 6,  // only inside the journal: varint decoded size, then one LZ4 block
};

// Decodes `input` into `out`, which it clears. `max_size` bounds the output. Not for kIdentity.
Status DecodeContent(ContentEncoding encoding, std::string_view input, int64_t max_size, ByteBuffer* out,
                     DecodeMemory* memory);

// Appends `input` in the form kLz4Block.
void AppendLz4Block(std::string_view input, ByteBuffer* out);

}  // namespace varve
