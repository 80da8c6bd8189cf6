// The protobuf wire form of a push, logproto.PushRequest, after decompression.
//
//   PushRequest { repeated Stream streams = 1; }
//   Stream      { string labels = 1; repeated Entry entries = 2; }
//   Entry       { Timestamp timestamp = 1; bytes line = 2; repeated LabelPair structuredMetadata = 3; }
//   Timestamp   { int64 seconds = 1; int32 nanos = 2; }        LabelPair { string name = 1, value = 2; }
//
// Walks the bytes once without copying: labels, lines and metadata are views into `body`. Unknown fields
// are skipped. Threads: thread-safe.
#pragma once

#include <string_view>

#include "engine/base/status.h"
#include "ingest/decode_memory.h"
#include "ingest/decoded_push.h"

namespace varve {

// Appends to `out`, which is empty. kInvalidArgument ("proto: …") leaves it half filled.
Status DecodeLokiProtobuf(std::string_view body, DecodedPush* out, DecodeMemory* memory);

}  // namespace varve
