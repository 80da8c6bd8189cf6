// From a request body, or a journalled one, to streams and entries: decompression, then the wire form.
//
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/status.h"
#include "ingest/decode_memory.h"
#include "ingest/decode_options.h"
#include "ingest/push_headers.h"
#include "ingest/push_scratch.h"

namespace varve {

struct BodyDecoding {
  BodyFormat format;              // as asked for, with an optional inner encoding resolved
  uint64_t decoded_size_max = 0;  // the largest size of the body at any stage
};

// What the meaning of a body depends on beside its bytes.
struct BodyContext {
  const DecodeOptions& options;
  int64_t received_ns = 0;  // of OTLP records without a time
  int64_t max_size = 0;     // bounds the body at every stage
};

// Fills scratch->decoded with views into `body` or the scratch.
Result<BodyDecoding> DecodeBody(const BodyFormat& format, std::string_view body, const BodyContext& context,
                                PushScratch* scratch, DecodeMemory* memory);

}  // namespace varve
