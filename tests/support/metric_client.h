// Pushes samples to and reads them from a metric store in tests, with a journal record format of its own.
//
// Threads: thread-compatible; give each thread its own client of a shared engine.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace varve {

struct TestSample {
  int64_t ts_ms = 0;
  double value = 0;
  HistogramPtr histogram = nullptr;  // instead of the value
  int64_t start_ms = kNoStartMs;
};

struct TestMetricPush {
  struct Series {
    PackedLabels labels;
    std::vector<TestSample> samples;
  };
  std::vector<Series> series;
};

// By labels; each sample in words that differ when a bit of it does.
using TestMetricContents = std::map<std::string, std::map<int64_t, std::string>>;

PackedLabels MetricLabelsOf(std::vector<LabelView> labels);
// An integer histogram of one bucket.
HistogramPtr OneBucketHistogram(uint64_t count, double sum);

class MetricClient {
 public:
  MetricClient(MetricStore* store, TenantId tenant, std::string tenant_name = "t")
      : store_(store), tenant_(tenant), tenant_name_(std::move(tenant_name)) {}

  Result<MetricVerdicts> Push(const TestMetricPush& push);
  // One float.
  Result<MetricVerdicts> Push(const PackedLabels& labels, int64_t ts_ms, double value);
  // Everything a reader sees. kInternal when a series, or samples within one, do not ascend.
  Result<TestMetricContents> ReadAll(const std::vector<Matcher>& matchers = {}, MetricRange range = {}) const;

 private:
  MetricStore* const store_;
  const TenantId tenant_;
  const std::string tenant_name_;
};

// The verdict of the only sample that was pushed.
SampleVerdict OnlyVerdict(const MetricVerdicts& verdicts);

// Whether MetricClient wrote the record, and its decoder.
bool IsMetricTestRecord(std::string_view record);
Status ReplayMetricTestRecord(Engine* engine, std::string_view record, ReplaySink* sink);

}  // namespace varve
