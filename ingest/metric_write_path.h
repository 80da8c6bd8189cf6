// From a metrics request's bytes to the metric store: decode, validate, intern, append.
//
// Takes remote write 1.0 and 2.0, OTLP metrics, and imports (JSON lines, OpenMetrics text). The journal record is
// the body as it came, behind a header and the list of what was refused, as for logs (docs/format.md).
//
//   decode → judge samples → find series by their label bytes → intern those that are new → rate → Append
//
// A series or sample that cannot be taken does not keep the others out.
// Threads: thread-safe; scratch memory is per thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/per_tenant.h"
#include "engine/engine.h"
#include "engine/metric_store.h"
#include "ingest/limits.h"
#include "ingest/metric_stats.h"

namespace varve {

enum class MetricWire : uint8_t {
  kRemoteWrite,  // 1.0 or 2.0, by Content-Type
  kOtlp,         // protobuf or JSON, by Content-Type
  kImportJson,   // a series a line: {"metric": {…}, "values": […], "timestamps": […]}
  kImportOpenMetrics,  // or Prometheus's text format, by Content-Type or # EOF
};

struct MetricWriteRequest {
  std::string_view tenant = "fake";
  MetricWire wire = MetricWire::kRemoteWrite;
  std::string_view content_type;  // header values as they came
  std::string_view content_encoding;
  std::string_view body;
};

struct MetricWriteOutcome {
  // The HTTP status to answer with (200, 204, 400, 413, 415, 429, 500, 503, 507) and the text, which names each
  // refused series or sample (the first kErrorsShownMax of them, then how many more).
  int http_status = 204;
  std::string message;
  // Also where the status is an error: what was stored. For the X-Prometheus-Remote-Write-*-Written headers.
  uint64_t samples_written = 0;
  uint64_t histograms_written = 0;
  uint64_t exemplars_written = 0;
};

inline constexpr size_t kErrorsShownMax = 100;

class MetricWritePath {
 public:
  // Both must outlive this.
  MetricWritePath(Engine* engine, std::reference_wrapper<const PerTenant<IngestLimits>> limits);
  ~MetricWritePath();

  MetricWriteOutcome Write(const MetricWriteRequest& request);
  // Decodes a journal record of metrics, as Write gave it to the store, and hands it to `sink` without what was
  // refused. kCorruption: the record cannot be read. Interns series as the first decoding did.
  Status Replay(std::string_view record, ReplaySink* sink);
  MetricIngestStats Stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace varve
