// From the body of a metrics request, or a journalled one, to series and samples: what its headers mean, then
// decompression, then the wire form.
//
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/status.h"
#include "ingest/decode_memory.h"
#include "ingest/journal_record.h"
#include "ingest/metric_scratch.h"
#include "ingest/metric_write_path.h"
#include "ingest/otlp_metrics_config.h"

namespace varve {

struct MetricBodyFormat {
  WireForm form = WireForm::kRemoteWrite1;
  ContentEncoding encoding = ContentEncoding::kIdentity;
  // Text that says of itself that it is OpenMetrics is that, whatever `form` says.
  bool detect_open_metrics = false;
};

// kUnimplemented (of remote write: 415): a type or an encoding that is not spoken. kInvalidArgument: OTLP and imports.
Result<MetricBodyFormat> ParseMetricHeaders(MetricWire wire, std::string_view content_type,
                                            std::string_view content_encoding);

// What the meaning of a body depends on beside its bytes.
struct MetricBodyContext {
  const OtlpMetricsConfig& otlp;
  int64_t received_ms = 0;  // of imported samples without a time
  int64_t max_size = 0;     // bounds the body at every stage
};

// Fills scratch->decoded with views into `body` or the scratch. Gives the largest size of the body at any stage;
// format->form becomes what it was decoded as.
Result<uint64_t> DecodeMetricBody(MetricBodyFormat* format, std::string_view body,
                                  const MetricBodyContext& context, MetricScratch* scratch, DecodeMemory* memory);

}  // namespace varve
