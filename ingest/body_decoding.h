// From a request body, or a journalled one, to streams and entries: decompression, then the wire form.
//
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/status.h"
#include "ingest/decode_memory.h"
#include "ingest/push_headers.h"
#include "ingest/push_scratch.h"

namespace varve {

struct BodyDecoding {
  BodyFormat format;              // as asked for, with an optional inner encoding resolved
  uint64_t decoded_size_max = 0;  // the largest size of the body at any stage
};

// Fills scratch->decoded with views into `body` or the scratch. `max_size` bounds the body at every stage.
Result<BodyDecoding> DecodeBody(const BodyFormat& format, std::string_view body, int64_t max_size,
                                PushScratch* scratch, DecodeMemory* memory);

}  // namespace varve
