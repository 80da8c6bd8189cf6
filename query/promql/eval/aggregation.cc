#include "query/promql/eval/aggregation.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "engine/base/bytes.h"

namespace varve::promql {

GroupTable::GroupTable(std::vector<std::string> grouping, bool without)
    : grouping_(std::move(grouping)), without_(without) {
  if (without_) grouping_.emplace_back(kMetricName);
  std::sort(grouping_.begin(), grouping_.end());
}

bool GroupTable::Keeps(std::string_view name) const {
  return std::binary_search(grouping_.begin(), grouping_.end(), name) != without_;
}

uint32_t GroupTable::GroupOf(const PackedLabels& labels) {
  key_.clear();
  if (without_ || !grouping_.empty()) {
    for (const LabelView& label : labels) {
      if (!Keeps(label.name)) continue;
      PutLengthPrefixed(&key_, label.name);
      PutLengthPrefixed(&key_, label.value);
    }
  }
  const auto found = groups_.find(std::string_view(key_));
  if (found != groups_.end()) return found->second;
  const auto group = static_cast<uint32_t>(labels_.size());
  groups_.emplace(key_, group);
  labels_.push_back(PackedLabels::FromCanonical(key_));
  return group;
}

namespace {

Result<AggregateParam> EvalParam(Evaluator* eval, const Expr& expr, const EvalScope& scope) {
  AggregateParam param;
  VARVE_ASSIGN_OR_RETURN(param.values, eval->Scalar(expr, scope));
  param.min = DBL_MAX;
  param.max = -DBL_MAX;
  for (const double value : param.values) {
    if (std::isnan(value)) {
      // As in Go, NaN stays once it has come up.
      param.has_nan = true;
      param.min = value;
      param.max = value;
    }
    if (!(value >= param.min)) param.min = std::isnan(param.min) ? param.min : value;
    if (!(value <= param.max)) param.max = std::isnan(param.max) ? param.max : value;
  }
  return param;
}

}  // namespace

Result<ProducerPtr> EvalAggregate(Evaluator* eval, const Aggregate& aggregate, const EvalScope& scope) {
  switch (aggregate.op) {
    case AggregateOp::kCountValues: return EvalCountValues(eval, aggregate, scope);
    case AggregateOp::kQuantile:
    case AggregateOp::kTopk:
    case AggregateOp::kBottomk:
    case AggregateOp::kLimitk:
    case AggregateOp::kLimitRatio: {
      VARVE_ASSIGN_OR_RETURN(const AggregateParam param, EvalParam(eval, *aggregate.param, scope));
      if (aggregate.op == AggregateOp::kQuantile) return EvalQuantile(eval, aggregate, param, scope);
      return EvalSelecting(eval, aggregate, param, scope);
    }
    default: return EvalFold(eval, aggregate, scope);
  }
}

}  // namespace varve::promql
