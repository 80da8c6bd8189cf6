#include "tools/recorded_series.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace varve {
namespace {

using Points = std::vector<std::pair<int64_t, double>>;

// Ascending by time. False: two at one time.
bool Sort(Points* points) {
  std::sort(points->begin(), points->end());
  return std::adjacent_find(points->begin(), points->end(),
                            [](const auto& a, const auto& b) { return a.first == b.first; }) == points->end();
}

}  // namespace

RecordedSeries::RecordedSeries(const Rule& rule, const RuleGroup& group)
    : name_(rule.record), labels_(rule.labels), limit_(group.limit) {
  labels_.insert(group.labels.begin(), group.labels.end());
}

PackedLabels RecordedSeries::LabelsOf(const MetricSeries& series) const {
  std::vector<LabelView> labels = {{kMetricName, name_}};
  for (const auto& [name, value] : labels_) labels.push_back({name, value});
  for (const auto& [name, value] : series.labels) {
    if (name != kMetricName && !labels_.contains(name)) labels.push_back({name, value});
  }
  return PackedLabels::FromUnsorted(std::move(labels));
}

Status RecordedSeries::Take(const MetricAnswer& answer, const EvaluationWindow& window, SampleBatch* batch,
                            const std::function<Status(SampleBatch*)>& write) {
  std::map<PackedLabels, Points> recorded;
  std::map<int64_t, uint32_t> series_at;
  for (const MetricSeries& series : answer.series) {
    Points& points = recorded[LabelsOf(series)];
    for (const MetricPoint& point : series.points) {
      if (!point.histogram.empty()) return ExecutionError("native histograms cannot be backfilled");
      points.emplace_back(point.t_ms, point.number);
      ++series_at[point.t_ms];
    }
  }
  for (auto& [labels, points] : recorded) {
    if (!Sort(&points)) {
      return ExecutionError("vector contains metrics with the same labelset after applying rule labels: " +
                            labels.ToString());
    }
  }
  for (const PackedLabels& labels : live_) recorded.try_emplace(labels);
  const auto over = [&](int64_t t_ms) {
    const auto at = series_at.find(t_ms);
    return limit_ != 0 && at != series_at.end() && at->second > limit_;
  };
  for (const auto& [t_ms, count] : series_at) over_limit_ += over(t_ms) ? 1 : 0;
  std::set<PackedLabels> live;
  for (const auto& [labels, points] : recorded) {
    // Where the series has to go on, or a marker ends it; nothing: it is not there.
    std::optional<int64_t> next_ms;
    if (live_.contains(labels)) next_ms = window.first_ms;
    const auto end_before = [&](int64_t t_ms) {
      while (next_ms && *next_ms < t_ms && over(*next_ms)) *next_ms += window.step_ms;
      if (next_ms && *next_ms < t_ms) batch->AddStale(labels, *next_ms);
    };
    for (const auto& [t_ms, value] : points) {
      if (over(t_ms)) continue;
      end_before(t_ms);
      batch->AddFloat(labels, t_ms, value);
      ++samples_;
      next_ms = t_ms + window.step_ms;
      if (batch->samples() >= kBatchSamples || batch->bytes() >= kBatchBytes) VARVE_RETURN_IF_ERROR(write(batch));
    }
    end_before(window.last_ms + 1);
    if (next_ms && *next_ms > window.last_ms) live.insert(labels);
  }
  live_ = std::move(live);
  return Status::Ok();
}

}  // namespace varve
