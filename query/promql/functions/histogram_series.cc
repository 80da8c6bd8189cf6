#include "query/promql/functions/histogram_series.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <unordered_map>

#include "engine/model/labels.h"

namespace varve::promql {
namespace {

constexpr std::string_view kBucketLabel = "le";

bool EqualFold(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

PackedLabels WithoutBucketLabel(const PackedLabels& labels) {
  PackedLabelsBuilder builder(labels);
  builder.Delete(kBucketLabel);
  return builder.Build();
}

bool HasKind(const StepColumn& column, PointKind kind) {
  for (const PointKind k : column.kinds) {
    if (k == kind) return true;
  }
  return false;
}

std::string ForMetric(std::string text, std::string_view name) {
  if (name.empty()) return text;
  return text + " for metric name " + GoQuoted(name);
}

}  // namespace

std::optional<double> ParseBucketBound(std::string_view le) {
  std::string_view digits = le;
  const bool negative = le.starts_with('-');
  if (negative || le.starts_with('+')) digits.remove_prefix(1);
  if (digits.empty()) return std::nullopt;
  double value = 0;
  if (EqualFold(digits, "inf") || EqualFold(digits, "infinity")) {
    value = std::numeric_limits<double>::infinity();
  } else if (EqualFold(digits, "nan")) {
    value = std::numeric_limits<double>::quiet_NaN();
  } else {
    auto format = std::chars_format::general;
    if (digits.size() > 2 && digits[0] == '0' && (digits[1] | 0x20) == 'x') {
      format = std::chars_format::hex;
      digits.remove_prefix(2);
      if (digits.find_first_of("pP") == std::string_view::npos) return std::nullopt;
    }
    const char first = digits.empty() ? ' ' : digits.front();
    if (first == '-' || (first | 0x20) == 'i' || (first | 0x20) == 'n') return std::nullopt;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, format);
    if (error == std::errc::result_out_of_range && end == digits.data() + digits.size()) {
      // Go refuses what is too large only.
      if (std::abs(std::strtod(std::string(le).c_str(), nullptr)) > 1) return std::nullopt;
      value = 0;
    } else if (error != std::errc() || end != digits.data() + digits.size()) {
      return std::nullopt;
    }
  }
  return negative ? -value : value;
}

HistogramSeries::HistogramSeries(const SeriesCall& call, const StepMatrix& vector, PositionRange pos)
    : call_(call), vector_(vector), pos_(pos), series_(vector.size()) {
  for (size_t i = 0; i < vector.size(); ++i) {
    if (HasKind(vector[i].column, PointKind::kHistogram)) AddNative(i);
  }
  std::unordered_map<std::string, size_t> classic;  // by labels without le
  for (size_t i = 0; i < vector.size(); ++i) {
    if (!HasKind(vector[i].column, PointKind::kFloat)) continue;
    series_[i].bound = ParseBucketBound(vector[i].labels.Get(kBucketLabel));
    if (!series_[i].bound) continue;
    PackedLabels labels = WithoutBucketLabel(vector[i].labels);
    const auto [at, added] = classic.emplace(labels.canonical(), sources_.size());
    if (added) {
      sources_.emplace_back();
      sources_.back().labels = std::move(labels);
      sources_.back().classic = true;
    }
    sources_[at->second].drop_name |= vector[i].drop_name;
    series_[i].classic = at->second;
  }
  for (Source& source : sources_) {
    if (source.classic) break;
    const auto found = classic.find(source.labels.canonical());
    if (found != classic.end()) source.partner = found->second;
  }
  natives_.resize(sources_.size());
  buckets_.resize(sources_.size());
}

void HistogramSeries::AddNative(size_t series) {
  series_[series].native = sources_.size();
  sources_.emplace_back();
  sources_.back().labels = vector_[series].labels;
  sources_.back().drop_name = vector_[series].drop_name;
  sources_.back().native_series = series;
}

std::string_view HistogramSeries::MetricName(size_t i) const {
  return call_.delayed_name_removal ? sources_[i].labels.metric_name() : std::string_view();
}

void HistogramSeries::CollectSeries(size_t i, size_t step) {
  const StepColumn& column = vector_[i].column;
  const Series& series = series_[i];
  if (column.kinds[step] == PointKind::kHistogram) natives_[series.native] = column.histograms[step].get();
  if (column.kinds[step] != PointKind::kFloat) return;
  if (series.bound) {
    buckets_[series.classic].push_back({*series.bound, column.values[step]});
    return;
  }
  const PackedLabels& labels = vector_[i].labels;
  const std::string_view name = call_.delayed_name_removal ? labels.metric_name() : std::string_view();
  call_.notes->AddWarning(pos_, ForMetric("bucket label \"le\" is missing or has a malformed value of " +
                                              GoQuoted(labels.Get(kBucketLabel)), name));
}

void HistogramSeries::Collect(size_t step) {
  for (size_t i = 0; i < sources_.size(); ++i) {
    natives_[i] = nullptr;
    buckets_[i].clear();
  }
  for (size_t i = 0; i < vector_.size(); ++i) CollectSeries(i, step);
  for (size_t i = 0; i < sources_.size(); ++i) {
    const size_t partner = sources_[i].partner;
    if (natives_[i] == nullptr || partner == SIZE_MAX || buckets_[partner].empty()) continue;
    call_.notes->AddWarning(pos_, ForMetric("vector contains a mix of classic and native histograms", MetricName(i)));
    natives_[i] = nullptr;
    buckets_[partner].clear();
  }
}

}  // namespace varve::promql
