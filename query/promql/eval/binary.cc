#include "query/promql/eval/binary.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "engine/base/bytes.h"
#include "query/promql/eval/element.h"

namespace varve::promql {

bool IsTrim(BinaryOp op) { return op == BinaryOp::kTrimUpper || op == BinaryOp::kTrimLower; }

bool DropsName(BinaryOp op) {
  switch (op) {
    case BinaryOp::kAdd:
    case BinaryOp::kSub:
    case BinaryOp::kMul:
    case BinaryOp::kDiv:
    case BinaryOp::kMod:
    case BinaryOp::kPow:
    case BinaryOp::kAtan2: return true;
    default: return false;
  }
}

double FloatArithmetic(BinaryOp op, double lhs, double rhs) {
  switch (op) {
    case BinaryOp::kAdd: return lhs + rhs;
    case BinaryOp::kSub: return lhs - rhs;
    case BinaryOp::kMul: return lhs * rhs;
    case BinaryOp::kDiv: return lhs / rhs;
    case BinaryOp::kMod: return std::fmod(lhs, rhs);
    case BinaryOp::kPow: return std::pow(lhs, rhs);
    case BinaryOp::kAtan2: return std::atan2(lhs, rhs);
    default: VARVE_CHECK(false); return 0;
  }
}

bool FloatCompare(BinaryOp op, double lhs, double rhs) {
  switch (op) {
    case BinaryOp::kEq: return lhs == rhs;
    case BinaryOp::kNe: return lhs != rhs;
    case BinaryOp::kLt: return lhs < rhs;
    case BinaryOp::kGt: return lhs > rhs;
    case BinaryOp::kLe: return lhs <= rhs;
    case BinaryOp::kGe: return lhs >= rhs;
    default: VARVE_CHECK(false); return false;
  }
}

Result<ProducerPtr> EvalBinary(Evaluator* eval, const Binary& binary, const EvalScope& scope) {
  const bool vectors = TypeOf(*binary.lhs) == ValueType::kVector && TypeOf(*binary.rhs) == ValueType::kVector;
  if (!vectors) return EvalVectorScalar(eval, binary, scope);
  return IsSetOp(binary.op) ? EvalSetOperator(eval, binary, scope) : EvalVectorBinary(eval, binary, scope);
}

Result<std::vector<double>> EvalScalarBinary(Evaluator* eval, const Binary& binary, const EvalScope& scope) {
  VARVE_ASSIGN_OR_RETURN(std::vector<double> lhs, eval->Scalar(*binary.lhs, scope));
  VARVE_ASSIGN_OR_RETURN(const std::vector<double> rhs, eval->Scalar(*binary.rhs, scope));
  if (!IsComparison(binary.op) && !DropsName(binary.op)) {
    return ExecutionError("operator \"" + std::string(BinaryOpText(binary.op)) +
                          "\" not allowed for Scalar operations");
  }
  for (size_t step = 0; step < lhs.size(); ++step) {
    lhs[step] = IsComparison(binary.op) ? (FloatCompare(binary.op, lhs[step], rhs[step]) ? 1 : 0)
                                        : FloatArithmetic(binary.op, lhs[step], rhs[step]);
  }
  return lhs;
}

MatchGroups GroupByMatch(const VectorMatching& matching, const StepMatrix& lhs, const StepMatrix& rhs) {
  std::vector<std::string> names = matching.labels;
  if (!matching.on) names.emplace_back(kMetricName);
  std::sort(names.begin(), names.end());
  MatchGroups groups;
  std::unordered_map<std::string, uint32_t> ordinals;
  std::string key;
  const auto group_of = [&](const PackedLabels& labels) {
    key.clear();
    for (const LabelView& label : labels) {
      if (std::binary_search(names.begin(), names.end(), label.name) != matching.on) continue;
      PutLengthPrefixed(&key, label.name);
      PutLengthPrefixed(&key, label.value);
    }
    return ordinals.try_emplace(key, static_cast<uint32_t>(ordinals.size())).first->second;
  };
  for (const StepSeries& series : lhs) groups.lhs.push_back(group_of(series.labels));
  for (const StepSeries& series : rhs) groups.rhs.push_back(group_of(series.labels));
  groups.count = ordinals.size();
  return groups;
}

namespace {

// Which groups have a point at which step.
class Presence {
 public:
  Presence(size_t groups, size_t steps) : steps_(steps), present_(groups * steps) {}
  static int64_t MemoryBytes(size_t groups, size_t steps) { return static_cast<int64_t>(groups * steps); }
  void Add(uint32_t group, const StepColumn& column) {
    for (size_t step = 0; step < steps_; ++step) {
      if (column.kinds[step] != PointKind::kNone) present_[group * steps_ + step] = 1;
    }
  }
  // Erases the points at steps where the group's presence is `erase_if`.
  void Mask(uint32_t group, bool erase_if, StepColumn* column) const {
    for (size_t step = 0; step < steps_; ++step) {
      if ((present_[group * steps_ + step] != 0) == erase_if) column->Erase(step);
    }
  }

 private:
  const size_t steps_;
  std::vector<uint8_t> present_;
};

}  // namespace

Result<ProducerPtr> EvalSetOperator(Evaluator* eval, const Binary& binary, const EvalScope& scope) {
  VARVE_ASSIGN_OR_RETURN(ChargedMatrix lhs, eval->Matrix(*binary.lhs, scope));
  VARVE_ASSIGN_OR_RETURN(ChargedMatrix rhs, eval->Matrix(*binary.rhs, scope));
  const MatchGroups groups = GroupByMatch(*binary.matching, lhs.series, rhs.series);
  const size_t steps = scope.grid.steps();
  Charge charge(eval->tracker());
  VARVE_RETURN_IF_ERROR(charge.Add(0, Presence::MemoryBytes(groups.count, steps)));
  Presence presence(groups.count, steps);
  const bool is_or = binary.op == BinaryOp::kOr;
  StepMatrix& told = is_or ? lhs.series : rhs.series;  // the side whose presence decides
  StepMatrix& masked = is_or ? rhs.series : lhs.series;
  const std::vector<uint32_t>& told_groups = is_or ? groups.lhs : groups.rhs;
  const std::vector<uint32_t>& masked_groups = is_or ? groups.rhs : groups.lhs;
  for (size_t i = 0; i < told.size(); ++i) presence.Add(told_groups[i], told[i].column);
  for (size_t i = 0; i < masked.size(); ++i) {
    presence.Mask(masked_groups[i], /*erase_if=*/binary.op != BinaryOp::kAnd, &masked[i].column);
  }
  StepMatrix out = std::move(lhs.series);
  if (is_or) std::move(rhs.series.begin(), rhs.series.end(), std::back_inserter(out));
  lhs.charge.Clear();
  rhs.charge.Clear();
  return eval->FromMatrix(std::move(out), scope, SameLabels::kRefuseStep);
}

}  // namespace varve::promql
