// What OTLP's names become in Prometheus, by the rules of OpenTelemetry's compatibility specification.
//
// Threads: thread-safe (pure functions).
#pragma once

#include <string>
#include <string_view>

#include "ingest/otlp_metrics_config.h"

namespace varve {

enum class OtlpMetricKind { kNone, kGauge, kSum, kHistogram, kExponentialHistogram, kSummary };

// http.server.duration, unit s → http_server_duration_seconds; a counter ends in _total, a gauge of unit 1 in _ratio.
// "" when nothing but underscores would be left.
std::string OtlpMetricName(std::string_view name, std::string_view unit, bool counter, bool gauge,
                           const OtlpMetricsConfig& config);
// http.method → http_method; 1st → key_1st; "" as above.
std::string OtlpLabelName(std::string_view name, const OtlpMetricsConfig& config);
// By/s → bytes_per_second; for metadata.
std::string OtlpUnitName(std::string_view unit);

}  // namespace varve
