// The label sets of metrics: from a sender's bytes to a list, and from there, judged, to PackedLabels.
//
// Threads: thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/packed_labels.h"
#include "ingest/decoded_metrics.h"
#include "ingest/limits.h"
#include "ingest/metric_stats.h"

namespace varve {

// Replaces `out` by the labels that `raw` stands for, in their order. kInvalidArgument: a reference beyond the
// symbols, a name without a value, a malformed field.
Status ReadRawLabels(const DecodedMetrics& decoded, std::string_view raw, std::vector<LabelView>* out);

// `{__name__="x", a="b"}`, as Prometheus writes it; cut to kLabelTextMax bytes.
inline constexpr size_t kLabelTextMax = 2048;
std::string LabelListText(std::vector<LabelView> labels);

struct MetricLabelRefusal {
  MetricDiscardReason reason;
  std::string text;
};
// Why a series with these labels cannot be taken, in Prometheus's words: no or an empty name, something that is not
// UTF-8, an empty label name, a name twice, or more than the limits allow. The text names the series.
std::optional<MetricLabelRefusal> CheckMetricLabels(const std::vector<LabelView>& labels,
                                                    const IngestLimits& limits);
// What CheckMetricLabels depends on in the limits: equal keys, equal answers.
std::string MetricLabelLimitsKey(const IngestLimits& limits);

// The name of the family that a series' metadata describes: of histograms and summaries without _bucket, _count, _sum.
std::string_view MetricFamilyName(std::string_view series_name, MetricType type);

// Whether an exemplar may have these: valid UTF-8, names that are not empty and unique.
bool AreExemplarLabels(const std::vector<LabelView>& labels);
// How many UTF-8 characters an exemplar's labels have (a byte that is none counts as one).
size_t ExemplarRunes(const std::vector<LabelView>& labels);
inline constexpr size_t kExemplarRunesMax = 128;  // OpenMetrics

}  // namespace varve
