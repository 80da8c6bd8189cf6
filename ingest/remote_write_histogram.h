// The native histogram of remote write 1.0 and 2.0.
//
//   Histogram { oneof count { uint64 count_int = 1; double count_float = 2; } double sum = 3; sint32 schema = 4;
//     double zero_threshold = 5; oneof zero_count { uint64 zero_count_int = 6; double zero_count_float = 7; }
//     repeated BucketSpan negative_spans = 8; repeated sint64 negative_deltas = 9; repeated double
//     negative_counts = 10; repeated BucketSpan positive_spans = 11; repeated sint64 positive_deltas = 12;
//     repeated double positive_counts = 13; ResetHint reset_hint = 14; int64 timestamp = 15;
//     repeated double custom_values = 16; int64 start_timestamp = 17; }
//   BucketSpan { sint32 offset = 1; uint32 length = 2; }
//
// It is a float histogram if count_float is what is set. A schema from 9 to 52 is reduced to 8.
// Threads: thread-safe.
#pragma once

#include <string_view>

#include "engine/base/status.h"
#include "ingest/decode_memory.h"
#include "ingest/decoded_metrics.h"

namespace varve {

// Adds to out->histograms; `start_ms` gets the start timestamp. kInvalidArgument: "proto: …".
Status DecodeRemoteWriteHistogram(std::string_view bytes, DecodedMetrics* out, int64_t* start_ms,
                                  DecodeMemory* memory);

}  // namespace varve
