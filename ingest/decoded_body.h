// A push that is taken apart already, as bytes: the body that is journalled in place of the one that came, where that
// may hold what limits.mask hides.
//
// Bytes: docs/format.md, "Journal record", wire form 13. Streams, entries and their numbers stay as they are.
// Threads: thread-safe.
#pragma once

#include <string_view>

#include "engine/base/status.h"
#include "ingest/byte_buffer.h"
#include "ingest/decode_memory.h"
#include "ingest/decoded_push.h"

namespace varve {

// Writes `decoded` to `out`, which it clears. Every entry belongs to a stream, in their order.
Status EncodeDecodedBody(const DecodedPush& decoded, ByteBuffer* out, DecodeMemory* memory);
// Views into `body`. kInvalidArgument: not what EncodeDecodedBody writes.
Status DecodeDecodedBody(std::string_view body, DecodedPush* out, DecodeMemory* memory);

}  // namespace varve
