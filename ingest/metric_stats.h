// What the metrics' half of ingest counts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace varve {

// Why samples, exemplars or metadata were not taken; names as in varve_metric_discarded_samples_total.
enum class MetricDiscardReason : uint8_t {
  kMissingMetricName,
  kInvalidLabels,
  kDuplicateLabelNames,
  kMaxLabelNames,
  kLabelNameTooLong,
  kLabelValueTooLong,
  kSampleTooFarInFuture,
  kSampleTooOld,
  kDuplicateTimestamp,
  kInvalidHistogram,
  kInvalidMetric,  // OTLP: a temporality or a type that cannot be stored; an import's line
  kSeriesLimit,
  kRateLimited,
  kTooManySamples,
  kRequestTooLarge,
  kExemplarTooLong,
  kInvalidExemplar,
  kMetadataTooLong,
  kCount
};
std::string_view MetricDiscardReasonName(MetricDiscardReason reason);  // "invalid_labels"

struct MetricIngestStats {
  uint64_t requests = 0;
  uint64_t wire_bytes = 0;
  uint64_t decoded_bytes = 0;
  uint64_t samples_received = 0;
  uint64_t histograms_received = 0;
  uint64_t exemplars_received = 0;
  uint64_t samples_written = 0;
  uint64_t histograms_written = 0;
  uint64_t exemplars_written = 0;
  uint64_t series_aliases = 0;
  uint64_t series_alias_bytes = 0;
  std::array<uint64_t, static_cast<size_t>(MetricDiscardReason::kCount)> discarded{};
};

}  // namespace varve
