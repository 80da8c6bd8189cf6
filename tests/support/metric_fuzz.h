// What the fuzz targets of metrics share: an input is written, and what was stored must replay to the same.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/check.h"
#include "tests/support/metric_ingest.h"

namespace varve::testing {

inline void FuzzMetrics(MetricWire wire, std::string_view body, const char* type, const char* encoding) {
  IngestLimits limits;
  limits.max_metrics_decompressed_size = 1 << 20;
  limits.max_decompressed_size = 1 << 20;
  limits.max_label_names_per_metric_series = 20;
  limits.otlp_metrics.promote_resource_attributes = {"p"};
  limits.otlp_metrics.promote_scope_metadata = true;
  MetricIngest ingest(limits);
  const MetricWriteOutcome outcome = ingest.Write(wire, body, type, encoding);
  VARVE_CHECK(ingest.engine.ingest_budget()->used_bytes() == 0);
  VARVE_CHECK(outcome.http_status == 204 || outcome.http_status == 400 || outcome.http_status == 413 ||
              outcome.http_status == 415);
  VARVE_CHECK((outcome.http_status == 204) == outcome.message.empty());
  const uint64_t written = outcome.samples_written + outcome.histograms_written + outcome.exemplars_written;
  VARVE_CHECK(written == 0 || ingest.Records().size() == 1);
  const std::string stored = ingest.Stored();
  VARVE_CHECK(ingest.Replayed() == stored);
  // Once more it is the same samples, and nothing changes.
  ingest.Write(wire, body, type, encoding);
  VARVE_CHECK(ingest.Stored() == stored);
}

// The first byte chooses what is around the rest: 0 a snappy block that we make of it (so that mutations reach the
// message), else nothing (the rest is the block).
inline void FuzzRemoteWrite(const uint8_t* data, size_t size, const char* type) {
  if (size == 0) return;
  std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  FuzzMetrics(MetricWire::kRemoteWrite, data[0] == 0 ? Snapped(body) : body, type, "snappy");
}

}  // namespace varve::testing
