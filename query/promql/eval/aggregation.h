// Aggregations: sum, avg, topk, count_values and their kin.
//
// Those that fold (sum to stdvar, count, group) take series as they are produced; the others need all elements of a
// step and work on a matrix.
// Threads: as Evaluator.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "query/promql/eval/evaluator.h"

namespace varve::promql {

Result<ProducerPtr> EvalAggregate(Evaluator* eval, const Aggregate& aggregate, const EvalScope& scope);

// The groups that series fall into.
class GroupTable {
 public:
  GroupTable(std::vector<std::string> grouping, bool without);
  // The group of a series with these labels; groups are numbered as they come up.
  uint32_t GroupOf(const PackedLabels& labels);
  size_t size() const { return labels_.size(); }
  const PackedLabels& labels(uint32_t group) const { return labels_[group]; }

 private:
  bool Keeps(std::string_view name) const;

  std::vector<std::string> grouping_;  // ascending
  const bool without_;
  std::string key_;
  std::vector<PackedLabels> labels_;
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
  };
  std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>> groups_;
};

// A parameter: its value at each step, and what they have in common.
struct AggregateParam {
  std::vector<double> values;  // one a step
  double min = 0;
  double max = 0;
  bool has_nan = false;
};

// The operators that fold.
Result<ProducerPtr> EvalFold(Evaluator* eval, const Aggregate& aggregate, const EvalScope& scope);
// topk, bottomk, limitk, limit_ratio.
Result<ProducerPtr> EvalSelecting(Evaluator* eval, const Aggregate& aggregate, const AggregateParam& param,
                                  const EvalScope& scope);
Result<ProducerPtr> EvalQuantile(Evaluator* eval, const Aggregate& aggregate, const AggregateParam& param,
                                 const EvalScope& scope);
Result<ProducerPtr> EvalCountValues(Evaluator* eval, const Aggregate& aggregate, const EvalScope& scope);

}  // namespace varve::promql
