#include "query/logql/shifted.h"

#include <memory>
#include <utility>
#include <variant>

namespace varve::logql {

ExprPtr ShiftedBack(const Expr& expr, int64_t back_ns) {
  auto shifted = std::make_unique<Expr>();
  if (const auto* range = std::get_if<RangeAggregation>(&expr.node)) {
    RangeAggregation copy = *range;
    copy.range.offset_ns += back_ns;
    shifted->node = std::move(copy);
  } else if (const auto* vector = std::get_if<VectorAggregation>(&expr.node)) {
    shifted->node =
        VectorAggregation{vector->op, ShiftedBack(*vector->operand, back_ns), vector->parameter, vector->grouping};
  } else if (const auto* binary = std::get_if<BinaryOperation>(&expr.node)) {
    shifted->node = BinaryOperation{binary->op, ShiftedBack(*binary->left, back_ns),
                                    ShiftedBack(*binary->right, back_ns), binary->return_bool, binary->matching};
  } else if (const auto* replace = std::get_if<LabelReplace>(&expr.node)) {
    shifted->node = LabelReplace{ShiftedBack(*replace->operand, back_ns), replace->destination, replace->replacement,
                                 replace->source, replace->pattern, replace->regex};
  } else if (const auto* number = std::get_if<LiteralNumber>(&expr.node)) {
    shifted->node = *number;
  } else if (const auto* function = std::get_if<VectorFunction>(&expr.node)) {
    shifted->node = *function;
  } else {
    shifted->node = std::get<LogSelector>(expr.node);  // has no windows
  }
  return shifted;
}

}  // namespace varve::logql
