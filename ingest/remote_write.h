// Prometheus remote write, both messages, after decompression.
//
//   prometheus.WriteRequest (1.0)    { repeated TimeSeries timeseries = 1; repeated MetricMetadata metadata = 3; }
//     TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; repeated Exemplar exemplars = 3;
//                  repeated Histogram histograms = 4; }
//     Label { string name = 1, value = 2; }    Sample { double value = 1; int64 timestamp = 2; }
//     Exemplar { repeated Label labels = 1; double value = 2; int64 timestamp = 3; }
//     MetricMetadata { enum type = 1; string metric_family_name = 2, help = 4, unit = 5; }
//   io.prometheus.write.v2.Request   { repeated string symbols = 4; repeated TimeSeries timeseries = 5; }
//     TimeSeries { repeated uint32 labels_refs = 1; repeated Sample samples = 2; repeated Histogram histograms = 3;
//                  repeated Exemplar exemplars = 4; Metadata metadata = 5; }
//     Sample { double value = 1; int64 timestamp = 2, start_timestamp = 3; }
//     Exemplar { repeated uint32 labels_refs = 1; double value = 2; int64 timestamp = 3; }
//     Metadata { enum type = 1; uint32 help_ref = 3, unit_ref = 4; }
//
// Histogram is the same in both: ingest/remote_write_histogram.h. Fields may come in any order, repeated numbers
// packed or not; unknown fields are skipped, known ones of a wrong type refused.
// Threads: thread-safe.
#pragma once

#include <string_view>

#include "engine/base/status.h"
#include "ingest/byte_arena.h"
#include "ingest/decode_memory.h"
#include "ingest/decoded_metrics.h"

namespace varve {

// kInvalidArgument ("proto: …") leaves `out` half filled.
Status DecodeRemoteWrite1(std::string_view body, DecodedMetrics* out, ByteArena* arena, DecodeMemory* memory);
Status DecodeRemoteWrite2(std::string_view body, DecodedMetrics* out, ByteArena* arena, DecodeMemory* memory);

}  // namespace varve
