// What a recording rule would have written over a stretch of time, from the answers to its expression.
//
//   RecordedSeries recorded(rule, group);
//   for each window, ascending: recorded.Take(answer, window, &batch, write);
// Threads: thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "alerting/rules/rule_group.h"
#include "alerting/rules/rule_writer.h"
#include "engine/base/status.h"
#include "engine/model/packed_labels.h"
#include "tools/metric_answer.h"

namespace varve {

// Evaluations at first_ms, first_ms + step_ms, … last_ms.
struct EvaluationWindow {
  int64_t first_ms = 0;
  int64_t last_ms = 0;
  int64_t step_ms = 1;
};

class RecordedSeries {
 public:
  static constexpr uint64_t kBatchSamples = 20'000;
  static constexpr size_t kBatchBytes = 4 << 20;

  RecordedSeries(const Rule& rule, const RuleGroup& group);

  // Adds the samples with the rule's name and labels, and a stale marker where a series ends, as the ruler does.
  // `write` empties the batch whenever it has kBatchSamples or kBatchBytes; what is left is for the caller. Its error ends this.
  // kExecution, and nothing is added: two series have the same labels at one time, or a value is a native histogram,
  // whose answer is no way back to what it was.
  Status Take(const MetricAnswer& answer, const EvaluationWindow& window, SampleBatch* batch,
              const std::function<Status(SampleBatch*)>& write);

  uint64_t samples() const { return samples_; }
  // Evaluations that gave more series than the group's limit: nothing of them is written.
  uint64_t over_limit() const { return over_limit_; }

 private:
  PackedLabels LabelsOf(const MetricSeries& series) const;

  const std::string name_;
  LabelMap labels_;
  const uint32_t limit_;
  std::set<PackedLabels> live_;  // with a sample at the end of the last window
  uint64_t samples_ = 0;
  uint64_t over_limit_ = 0;
};

}  // namespace varve
