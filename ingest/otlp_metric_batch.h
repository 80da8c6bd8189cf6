// From the parts of an OTLP metrics request, in the order of its tree, to series and samples, by Prometheus's rules:
// names and units, job and instance, target_info, classic histograms, native ones, summaries.
//
//   for each resource:  BeginResource, AddAttribute…, EndResource, … , FinishResource
//     for each scope:   BeginScope, AddAttribute…, EndScope
//       for each metric: BeginMetric; for each point: fill point(), AddPoint
//
// What cannot be stored (delta temporality, names of which nothing is left) is a problem of the metric; the rest
// counts.
// Threads: thread-compatible. Ownership: everything outlives this; results are views into the body and the arena.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/status.h"
#include "ingest/byte_arena.h"
#include "ingest/decode_memory.h"
#include "ingest/decoded_metrics.h"
#include "ingest/otlp_metric_names.h"
#include "ingest/otlp_metrics_config.h"
#include "ingest/otlp_value.h"

namespace varve {

struct OtlpScopeHead {
  std::string_view name;
  std::string_view version;
  std::string_view schema_url;
};

struct OtlpMetricHead {
  std::string_view name;
  std::string_view description;
  std::string_view unit;
  OtlpMetricKind kind = OtlpMetricKind::kNone;
  int32_t temporality = 0;  // 1 delta, 2 cumulative
  bool monotonic = false;
};

using OtlpAttribute = LabelView;  // the key as it came; the value's text

struct OtlpBuckets {
  int32_t offset = 0;
  std::vector<uint64_t> counts;
};

struct OtlpExemplar {
  uint64_t time_ns = 0;
  double value = 0;
  std::string_view trace_id;  // in hexadecimal; "" when it is absent or zero
  std::string_view span_id;
  uint32_t attributes_begin = 0;  // into OtlpPoint::exemplar_attributes
  uint32_t attributes_end = 0;
};

// A point of any kind of metric.
struct OtlpPoint {
  std::vector<OtlpAttribute> attributes;
  uint64_t start_ns = 0;
  uint64_t time_ns = 0;
  uint32_t flags = 0;
  double value = 0;
  uint64_t count = 0;
  double sum = 0;
  bool has_sum = false;
  std::vector<uint64_t> bucket_counts;
  std::vector<double> bounds;
  int32_t scale = 0;
  uint64_t zero_count = 0;
  double zero_threshold = 0;
  OtlpBuckets positive;
  OtlpBuckets negative;
  struct Quantile {
    double quantile = 0;
    double value = 0;
  };
  std::vector<Quantile> quantiles;
  std::vector<OtlpExemplar> exemplars;
  std::vector<OtlpAttribute> exemplar_attributes;

  void Clear();
  bool no_recorded_value() const { return (flags & 1) != 0; }
};

class OtlpMetricBatch {
 public:
  OtlpMetricBatch(const OtlpMetricsConfig& config, DecodedMetrics* out, ByteArena* arena, DecodeMemory* memory);

  void BeginResource();
  Status EndResource();
  Status FinishResource();
  void BeginScope();
  Status EndScope(const OtlpScopeHead& scope);
  Status BeginMetric(const OtlpMetricHead& metric);
  // Of the metric last begun.
  Status AddPoint();

  // Of the resource, or of the scope once that has begun. `values` holds the value, at 0, where the key is.
  Status AddAttribute(const OtlpValues& values);
  // The point that AddPoint adds; its owner clears it.
  OtlpPoint& point() { return point_; }
  // Attributes of the point and of its exemplars.
  Status AddPointAttribute(const OtlpValues& values, std::vector<OtlpAttribute>* to);
  OtlpText& text() { return text_; }

 private:
  static constexpr int64_t kTargetInfoIntervalNs = 150LL * 1'000'000'000;  // half of the lookback
  static constexpr int64_t kTargetInfoSamplesMax = 1000;                   // of one resource

  Status BuildLabels(const std::vector<OtlpAttribute>& attributes, bool of_point);
  Status AddAttributeLabels(const std::vector<OtlpAttribute>& attributes, bool of_point);
  Result<std::string_view> LabelName(std::string_view name);
  std::string_view Get(std::string_view name) const;
  Status Set(std::string_view name, std::string_view value);
  Result<std::string_view> Copy(std::string_view text);
  Result<std::string_view> EncodeLabels(std::string_view name, std::string_view extra_name,
                                        std::string_view extra_value);
  Status Problem(std::string text);

  Status AddFloat(double value);
  Status AddSeries(DecodedMetrics::Series* series, std::string_view suffix, std::string_view extra_name,
                   std::string_view extra_value);
  Status AddClassicHistogram();
  Status AddNative(NativeHistogram histogram);
  Status AddExponential();
  Status AddCustomBuckets();
  Status AddSummary();
  Status AddExemplars(double above, double up_to);
  Status AddExemplar(const OtlpExemplar& exemplar);
  Status AddTargetInfo();
  int64_t PointMs() const { return static_cast<int64_t>(point_.time_ns / 1'000'000); }

  const OtlpMetricsConfig& config_;
  DecodedMetrics* const out_;
  ByteArena* const arena_;
  DecodeMemory* const memory_;
  OtlpText text_;
  OtlpPoint point_;

  // Of the resource.
  std::vector<OtlpAttribute> resource_attributes_;
  std::vector<LabelView> promoted_;
  std::string_view job_;
  std::string_view instance_;
  uint64_t earliest_ns_ = 0;
  uint64_t latest_ns_ = 0;
  bool has_points_ = false;
  // Of the scope.
  bool in_scope_ = false;
  std::vector<OtlpAttribute> scope_attributes_;
  std::vector<LabelView> scope_labels_;
  // Of the metric.
  OtlpMetricHead metric_;
  std::string metric_name_;
  bool metric_refused_ = false;
  bool metadata_added_ = false;
  // Of the point.
  std::vector<LabelView> labels_;
  std::vector<OtlpAttribute> sorted_;
  std::string encoded_;
  std::unordered_map<std::string_view, std::string_view> label_names_;
};

}  // namespace varve
