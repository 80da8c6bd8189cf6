#include "query/promql/syntax/ast.h"

#include "query/promql/syntax/function_table.h"

namespace varve::promql {

std::string_view DocumentedType(ValueType type) {
  switch (type) {
    case ValueType::kScalar: return "scalar";
    case ValueType::kVector: return "instant vector";
    case ValueType::kMatrix: return "range vector";
    case ValueType::kString: return "string";
    case ValueType::kNone: break;
  }
  return "none";
}

std::string_view ApiType(ValueType type) {
  switch (type) {
    case ValueType::kScalar: return "scalar";
    case ValueType::kVector: return "vector";
    case ValueType::kMatrix: return "matrix";
    case ValueType::kString: return "string";
    case ValueType::kNone: break;
  }
  return "none";
}

ValueType TypeOf(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kNumber:
    case ExprKind::kDuration: return ValueType::kScalar;
    case ExprKind::kString: return ValueType::kString;
    case ExprKind::kMatrixSelector:
    case ExprKind::kSubquery: return ValueType::kMatrix;
    case ExprKind::kVectorSelector:
    case ExprKind::kAggregate:
    case ExprKind::kLogql: return ValueType::kVector;
    case ExprKind::kCall: return Cast<Call>(expr).function->result;
    case ExprKind::kUnary: return TypeOf(*Cast<Unary>(expr).expr);
    case ExprKind::kParen: return TypeOf(*Cast<Paren>(expr).expr);
    case ExprKind::kBinary: {
      const auto& binary = Cast<Binary>(expr);
      const bool scalars =
          TypeOf(*binary.lhs) == ValueType::kScalar && TypeOf(*binary.rhs) == ValueType::kScalar;
      return scalars ? ValueType::kScalar : ValueType::kVector;
    }
  }
  return ValueType::kNone;
}

std::string_view AggregateName(AggregateOp op) {
  static constexpr std::string_view kNames[] = {"sum",      "avg",    "min",    "max",      "count",
                                                "group",    "stddev", "stdvar", "quantile", "topk",
                                                "bottomk",  "count_values", "limitk", "limit_ratio"};
  return kNames[static_cast<size_t>(op)];
}

std::string_view BinaryOpText(BinaryOp op) {
  static constexpr std::string_view kTexts[] = {"+",  "-", "*", "/",  "%",  "^",  "atan2", "==", "!=",
                                                "<",  ">", "<=", ">=", "</", ">/", "and",   "or", "unless"};
  return kTexts[static_cast<size_t>(op)];
}

bool IsComparison(BinaryOp op) { return op >= BinaryOp::kEq && op <= BinaryOp::kGe; }
bool IsSetOp(BinaryOp op) { return op >= BinaryOp::kAnd; }

}  // namespace varve::promql
