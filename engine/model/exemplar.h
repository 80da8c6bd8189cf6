// An exemplar: one observation behind a series' value, with its own labels (a trace id, mostly).
// And a metric's metadata. Value types.
#pragma once

#include <cstdint>
#include <string>

#include "engine/model/packed_labels.h"

namespace varve {

struct Exemplar {
  PackedLabels labels;
  double value = 0;
  int64_t ts_ms = 0;
  bool operator==(const Exemplar&) const = default;
};

// Numbers are Prometheus's, on the wire and on disk.
enum class MetricType : uint8_t {
  kUnknown = 0,
  kCounter = 1,
  kGauge = 2,
  kHistogram = 3,
  kGaugeHistogram = 4,
  kSummary = 5,
  kInfo = 6,
  kStateset = 7,
};
std::string_view MetricTypeName(MetricType type);  // "counter"; "unknown" for anything else

struct MetricMetadata {
  std::string metric;  // the family's name
  MetricType type = MetricType::kUnknown;
  std::string help;
  std::string unit;
  bool operator==(const MetricMetadata&) const = default;
};

}  // namespace varve
