// What a metric store or a batch holds, as text to compare.
#pragma once

#include <bit>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <string>

#include "engine/metric_store.h"

namespace varve::testing {

// The shortest text of a double; NaNs by their bits.
inline std::string ValueText(double value) {
  char text[40];
  if (value != value) {
    std::snprintf(text, sizeof(text), "NaN:%016" PRIx64, std::bit_cast<uint64_t>(value));
    return text;
  }
  return {text, std::to_chars(text, std::end(text), value).ptr};
}

inline std::string HistogramText(const NativeHistogram& h) {
  std::string out = h.is_float ? "float" : "int";
  const auto list = [&](const char* name, const auto& values) {
    if (values.empty()) return;
    out += std::string(" ") + name + "=";
    for (const auto& value : values) out += ValueText(static_cast<double>(value)) + ",";
    out.pop_back();
  };
  const auto spans = [&](const char* name, const std::vector<BucketSpan>& values) {
    if (values.empty()) return;
    out += std::string(" ") + name + "=";
    for (const BucketSpan& span : values) out += std::to_string(span.offset) + "+" + std::to_string(span.length) + ",";
    out.pop_back();
  };
  out += " schema=" + std::to_string(h.schema) + " sum=" + ValueText(h.sum);
  out += " count=" + (h.is_float ? ValueText(h.float_count) : std::to_string(h.count));
  out += " zero=" + (h.is_float ? ValueText(h.float_zero_count) : std::to_string(h.zero_count)) + "@" +
         ValueText(h.zero_threshold);
  if (h.hint != CounterResetHint::kUnknown) out += " hint=" + std::to_string(static_cast<int>(h.hint));
  spans("nspans", h.negative_spans);
  list("ndeltas", h.negative_deltas);
  list("ncounts", h.negative_counts);
  spans("spans", h.positive_spans);
  list("deltas", h.positive_deltas);
  list("counts", h.positive_counts);
  list("bounds", h.custom_values);
  return out;
}

// A line for each series, then one for each exemplar and metadata: `a{b="c"} 1000=1.5 2000=2 start=500`.
inline std::string StoreText(const MetricStore& store, TenantId tenant) {
  std::string out;
  const auto snapshot = store.Snapshot(tenant, {}, {});
  VARVE_CHECK(snapshot.ok());
  SeriesSamples samples;
  for (size_t i = 0; i < (*snapshot)->size(); ++i) {
    out += (*snapshot)->labels(i).ToString();
    VARVE_CHECK((*snapshot)->Read(i, {}, nullptr, &samples).ok());
    for (size_t k = 0; k < samples.floats.size(); ++k) {
      out += " " + std::to_string(samples.float_ts_ms[k]) + "=" + ValueText(samples.floats[k]);
      if (!samples.float_starts_ms.empty() && samples.float_starts_ms[k] != kNoStartMs) {
        out += "<" + std::to_string(samples.float_starts_ms[k]);
      }
    }
    for (size_t k = 0; k < samples.histograms.size(); ++k) {
      out += " " + std::to_string(samples.histograms[k].ts_ms) + "=[" +
             HistogramText(*samples.histograms[k].histogram) + "]";
      if (!samples.histogram_starts_ms.empty() && samples.histogram_starts_ms[k] != kNoStartMs) {
        out += "<" + std::to_string(samples.histogram_starts_ms[k]);
      }
    }
    out += "\n";
  }
  const auto exemplars = store.Exemplars(tenant, {{}}, {});
  VARVE_CHECK(exemplars.ok());
  for (const ExemplarSeries& series : *exemplars) {
    for (const Exemplar& exemplar : series.exemplars) {
      out += "exemplar " + series.series.ToString() + " " + exemplar.labels.ToString() + " " +
             std::to_string(exemplar.ts_ms) + "=" + ValueText(exemplar.value) + "\n";
    }
  }
  for (const MetricMetadata& item : store.Metadata(tenant, "")) {
    out += "metadata " + item.metric + " " + std::string(MetricTypeName(item.type)) + " " + item.unit + " " + item.help +
           "\n";
  }
  return out;
}

}  // namespace varve::testing
