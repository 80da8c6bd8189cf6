// The JSON wire form of a push, after decompression.
//
//   {"streams":[{"stream":{"app":"x"},"values":[["<ns>","line",{"name":"value"}], …]}, …]}
// and, on the legacy path, also
//   {"streams":[{"labels":"{app=\"x\"}","entries":[{"ts":"<RFC 3339>","line":"…",
//                                                  "structuredMetadata":[{"name":"…","value":"…"}]}]}]}
//
// Lines without escapes are views into `body`; the others lie in `arena`. Unknown fields are skipped.
// Threads: thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/labels.h"
#include "ingest/byte_arena.h"
#include "ingest/decode_memory.h"
#include "ingest/decoded_push.h"

namespace varve {

// Appends to `out`, which is empty. kInvalidArgument ("EOF"; "loghttp.PushRequest.Streams: …") leaves it half
// filled.
Status DecodeLokiJson(std::string_view body, bool accept_legacy, DecodedPush* out, ByteArena* arena,
                      DecodeMemory* memory);

// Reads the labels of a stream in LabelForm::kJson, which DecodeLokiJson has seen to be an object of strings.
// Of a name written twice the last value counts.
Result<std::vector<Label>> ParseJsonLabels(std::string_view object, ByteArena* arena);

// Nanoseconds of an RFC 3339 time with up to nine fractional digits. False when it is none or out of range.
bool ParseRfc3339(std::string_view text, int64_t* ts_ns);

}  // namespace varve
