// Imports of metrics: lines of JSON, and the text formats of Prometheus and OpenMetrics.
//
//   {"metric":{"__name__":"up","job":"a"},"values":[1,null,"NaN","+Inf"],"timestamps":[1795000000000, …]}
//   up{job="a"} 1 1795000000                    OpenMetrics: seconds, # EOF, exemplars, _created
//   up{job="a"} 1 1795000000000                 Prometheus: milliseconds
//
// null is NaN, "StaleNaN" a stale marker. A line that cannot be read is a problem, which names it; the others count.
// Memory: what is decoded; lines are read one after the other.
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/status.h"
#include "ingest/byte_arena.h"
#include "ingest/decode_memory.h"
#include "ingest/decoded_metrics.h"

namespace varve {

// Errors are the memory's alone.
Status DecodeImportJson(std::string_view body, DecodedMetrics* out, ByteArena* arena, DecodeMemory* memory);

struct TextImport {
  bool open_metrics = false;  // timestamps are seconds, and _created tells when a counter began
  int64_t received_ms = 0;    // of samples without a time
};
Status DecodeImportText(std::string_view body, const TextImport& options, DecodedMetrics* out, ByteArena* arena,
                        DecodeMemory* memory);

// Go's ParseFloat as far as these formats need it; every NaN is Prometheus's.
bool ParseImportedNumber(std::string_view text, double* value);
// Whether the text says of itself that it is OpenMetrics: its last line is # EOF.
bool LooksLikeOpenMetrics(std::string_view body);

// Adds the problem "line 7: …"; `samples` it cost.
Status AddLineProblem(uint64_t line, std::string_view what, uint64_t samples, DecodedMetrics* out,
                      DecodeMemory* memory);

}  // namespace varve
