// OTLP's forms of metrics, ExportMetricsServiceRequest, after decompression: protobuf and JSON.
//
//   ExportMetricsServiceRequest { repeated ResourceMetrics resource_metrics = 1; }
//   ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; string schema_url = 3; }
//   ScopeMetrics    { InstrumentationScope scope = 1; repeated Metric metrics = 2; string schema_url = 3; }
//   Metric          { string name = 1, description = 2, unit = 3; oneof { Gauge gauge = 5; Sum sum = 7;
//                     Histogram histogram = 9; ExponentialHistogram exponential_histogram = 10; Summary summary = 11; } }
//   Gauge, Sum, …   { repeated …DataPoint data_points = 1; AggregationTemporality aggregation_temporality = 2;
//                     bool is_monotonic = 3; }
//
// The fields of points: otlp_metrics_protobuf.cc. Fields may come in any order; unknown ones are skipped. What the
// parts become: ingest/otlp_metric_batch.h.
// Threads: thread-safe.
#pragma once

#include <string_view>

#include "engine/base/status.h"
#include "ingest/decode_memory.h"
#include "ingest/otlp_metric_batch.h"

namespace varve {

// kInvalidArgument ("proto: …", "otlp: …") leaves `batch` half filled.
Status DecodeOtlpMetricsProtobuf(std::string_view body, OtlpMetricBatch* batch, DecodeMemory* memory);
Status DecodeOtlpMetricsJson(std::string_view body, OtlpMetricBatch* batch, ByteArena* arena, DecodeMemory* memory);

}  // namespace varve
