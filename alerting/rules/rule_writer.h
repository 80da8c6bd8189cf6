// What rules write: samples as a remote write request, lines as a push.
//
// Both go the way that clients' requests go, so that the journal, limits and replay know nothing of rules.
// Threads: thread-compatible; WriteSamples and WriteLines thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/packed_labels.h"
#include "ingest/write_path.h"
#include "query/promql/values/float_histogram.h"

namespace varve {

// Collects samples, one at a time, as bodies of prometheus.WriteRequest: a request holds 8 MiB or a sample more, well
// below limits.max_metrics_decompressed_size, as one rule may have 100,000 alerts.
class SampleBatch {
 public:
  void AddFloat(const PackedLabels& series, int64_t ts_ms, double value);
  // A value that was computed: NaN becomes the one Prometheus writes, and a histogram goes as one.
  void Add(const PackedLabels& series, int64_t ts_ms, double value, const promql::FloatHistogramPtr& histogram);
  void AddStale(const PackedLabels& series, int64_t ts_ms);

  bool empty() const { return samples_ == 0; }
  uint64_t samples() const { return samples_; }
  const std::vector<std::string>& bodies() const { return bodies_; }
  size_t bytes() const;  // of all bodies
  void Clear();

 private:
  void AddSeries(const PackedLabels& series, uint8_t field, std::string_view message);

  std::vector<std::string> bodies_;
  uint64_t samples_ = 0;
};

struct SampleWrite {
  uint64_t written = 0;
  // Some or all were refused for good: another value is there at that time, or the labels are not allowed.
  bool refused = false;
  Status status;  // ok unless nothing, or not everything, was taken
};
SampleWrite WriteSamples(MetricWritePath* writes, std::string_view tenant, const SampleBatch& batch);

struct TimedLine {
  int64_t ts_ms = 0;
  std::string line;
  bool operator==(const TimedLine&) const = default;
};
struct LineWrite {
  size_t done = 0;  // of the lines, from the first on: taken, or refused for good; the others are to be written again
  Status status;    // the last error
};
// Into the tenant's stream {job="`job`"}.
LineWrite WriteLines(WritePath* writes, std::string_view tenant, std::string_view job,
                     const std::vector<TimedLine>& lines);

// `text` as a JSON string for lines that people read: unlike AppendJsonString it leaves < > & as they are.
void AppendReadableJsonString(std::string* out, std::string_view text);

}  // namespace varve
