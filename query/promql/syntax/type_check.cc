#include "query/promql/syntax/type_check.h"

#include <algorithm>

#include "engine/model/labels.h"
#include "engine/model/packed_labels.h"
#include "query/promql/syntax/function_table.h"

namespace varve::promql {
namespace {

std::string Quoted(std::string_view text) { return GoQuoted(text); }

class TypeChecker {
 public:
  explicit TypeChecker(std::string_view query) : query_(query) {}

  ValueType Check(Expr* expr, bool may_match_everything = false);
  std::optional<ParseError> error() && { return std::move(error_); }

 private:
  void Fail(PositionRange pos, std::string message) {
    if (!error_) error_ = ParseError{pos, std::move(message)};
  }
  void Expect(Expr* expr, ValueType want, std::string_view where) {
    const ValueType type = Check(expr);
    if (type == want) return;
    Fail(expr->pos, "expected type " + std::string(DocumentedType(want)) + " in " + std::string(where) + ", got " +
                        std::string(DocumentedType(type)));
  }
  void CheckAggregate(Aggregate* aggregate);
  void CheckBinary(Binary* binary);
  void CheckMatching(Binary* binary, ValueType left, ValueType right);
  void CheckCall(Call* call);
  void CheckArgumentCount(const Call& call);
  void CheckInfoSelector(Call* call);
  void CheckSelector(const VectorSelector& selector, bool may_match_everything);
  PositionRange OperatorPos(const Binary& binary) const;

  const std::string_view query_;
  std::optional<ParseError> error_;
};

ValueType TypeChecker::Check(Expr* expr, bool may_match_everything) {
  if (error_) return ValueType::kNone;
  switch (expr->kind) {
    case ExprKind::kAggregate: CheckAggregate(&Cast<Aggregate>(*expr)); break;
    case ExprKind::kBinary: CheckBinary(&Cast<Binary>(*expr)); break;
    case ExprKind::kCall: CheckCall(&Cast<Call>(*expr)); break;
    case ExprKind::kParen: Check(Cast<Paren>(*expr).expr.get()); break;
    case ExprKind::kUnary: {
      const ValueType type = Check(Cast<Unary>(*expr).expr.get());
      if (type == ValueType::kScalar || type == ValueType::kVector) break;
      Fail(expr->pos, "unary expression only allowed on expressions of type scalar or instant vector, got " +
                          Quoted(DocumentedType(type)));
      break;
    }
    case ExprKind::kSubquery: {
      const ValueType type = Check(Cast<Subquery>(*expr).expr.get());
      if (type == ValueType::kVector) break;
      Fail(expr->pos,
           "subquery is only allowed on instant vector, got " + std::string(ApiType(type)) + " instead");
      break;
    }
    case ExprKind::kMatrixSelector: Check(Cast<MatrixSelector>(*expr).selector.get()); break;
    case ExprKind::kVectorSelector: CheckSelector(Cast<VectorSelector>(*expr), may_match_everything); break;
    case ExprKind::kNumber:
    case ExprKind::kString:
    case ExprKind::kDuration:
    case ExprKind::kLogql: break;
  }
  return TypeOf(*expr);
}

void TypeChecker::CheckAggregate(Aggregate* aggregate) {
  Expect(aggregate->expr.get(), ValueType::kVector, "aggregation expression");
  if (!aggregate->param) return;
  const bool label = aggregate->op == AggregateOp::kCountValues;
  Expect(aggregate->param.get(), label ? ValueType::kString : ValueType::kScalar, "aggregation parameter");
}

// Where the operator stands: between the operands, without the blanks.
PositionRange TypeChecker::OperatorPos(const Binary& binary) const {
  int32_t begin = binary.lhs->pos.end;
  while (static_cast<size_t>(begin) < query_.size() &&
         std::string_view(" \t\n\r").find(query_[static_cast<size_t>(begin)]) != std::string_view::npos) {
    ++begin;
  }
  return {begin, binary.rhs->pos.begin};
}

void TypeChecker::CheckBinary(Binary* binary) {
  const ValueType left = Check(binary->lhs.get());
  const ValueType right = Check(binary->rhs.get());
  if (error_) return;
  if (binary->return_bool && !IsComparison(binary->op)) {
    Fail(OperatorPos(*binary), "bool modifier can only be used on comparison operators");
  }
  const bool scalars = left == ValueType::kScalar && right == ValueType::kScalar;
  if (IsComparison(binary->op) && !binary->return_bool && scalars) {
    Fail(OperatorPos(*binary), "comparisons between scalars must use BOOL modifier");
  }
  VectorMatching& matching = *binary->matching;
  if (IsSetOp(binary->op) && matching.card == MatchCardinality::kOneToOne) {
    matching.card = MatchCardinality::kManyToMany;
  }
  for (const std::string& label : matching.labels) {
    if (!matching.on) break;
    if (std::find(matching.include.begin(), matching.include.end(), label) == matching.include.end()) continue;
    Fail(OperatorPos(*binary), "label " + Quoted(label) + " must not occur in ON and GROUP clause at once");
  }
  const auto operand = [](ValueType type) { return type == ValueType::kScalar || type == ValueType::kVector; };
  for (const Expr* side : {binary->lhs.get(), binary->rhs.get()}) {
    if (operand(TypeOf(*side))) continue;
    Fail(side->pos, "binary expression must contain only scalar and instant vector types");
  }
  CheckMatching(binary, left, right);
}

void TypeChecker::CheckMatching(Binary* binary, ValueType left, ValueType right) {
  const VectorMatching& matching = *binary->matching;
  const bool fills = matching.fill_left || matching.fill_right;
  const std::string op = Quoted(BinaryOpText(binary->op));
  if (left != ValueType::kVector || right != ValueType::kVector) {
    if (!matching.labels.empty()) Fail(binary->pos, "vector matching only allowed between instant vectors");
    if (fills) Fail(binary->pos, "filling in missing series only allowed between instant vectors");
    binary->matching.reset();
  } else if (IsSetOp(binary->op)) {
    if (matching.card != MatchCardinality::kManyToMany) {
      Fail(binary->pos, "no grouping allowed for " + op + " operation");
    }
    if (fills) Fail(binary->pos, "filling in missing series not allowed for set operators");
  }
  if ((left == ValueType::kScalar || right == ValueType::kScalar) && IsSetOp(binary->op)) {
    Fail(binary->pos, "set operator " + op + " not allowed in binary scalar expression");
  }
}

void TypeChecker::CheckArgumentCount(const Call& call) {
  const FunctionSignature& function = *call.function;
  const size_t count = function.args.size();
  const auto fail = [&](std::string_view bound, size_t wanted) {
    Fail(call.pos, "expected " + std::string(bound) + std::to_string(wanted) + " argument(s) in call to " +
                       Quoted(function.name) + ", got " + std::to_string(call.args.size()));
  };
  if (function.variadic == 0) {
    if (call.args.size() != count) fail("", count);
    return;
  }
  const size_t least = count - 1;
  if (call.args.size() < least) return fail("at least ", least);
  if (function.variadic < 0) return;
  const size_t most = least + static_cast<size_t>(function.variadic);
  if (call.args.size() > most) fail("at most ", most);
}

// info()'s second argument is not evaluated: it says which labels to add.
void TypeChecker::CheckInfoSelector(Call* call) {
  const Expr& selector = *call->args[1];
  if (TypeOf(selector) != ValueType::kVector) {
    Fail(call->pos, "expected type instant vector in call to function \"info\", got " +
                        std::string(DocumentedType(TypeOf(selector))));
  }
  if (selector.kind != ExprKind::kVectorSelector) {
    Fail(selector.pos, "expected label selectors only");
  } else if (!Cast<VectorSelector>(selector).name.empty()) {
    Fail(selector.pos, "expected label selectors only, got vector selector instead");
  }
}

void TypeChecker::CheckCall(Call* call) {
  CheckArgumentCount(*call);
  const FunctionSignature& function = *call->function;
  const bool info = function.name == "info";
  if (info && call->args.size() > 1) CheckInfoSelector(call);
  for (size_t i = 0; i < call->args.size(); ++i) {
    if (i >= function.args.size() && function.variadic == 0) break;
    Expr* arg = call->args[i].get();
    const ValueType want = function.args[std::min(i, function.args.size() - 1)];
    const ValueType type = Check(arg, info && i == 1);
    if (type == want) continue;
    Fail(arg->pos, "expected type " + std::string(DocumentedType(want)) + " in call to function " +
                       Quoted(function.name) + ", got " + std::string(DocumentedType(type)));
  }
}

void TypeChecker::CheckSelector(const VectorSelector& selector, bool may_match_everything) {
  if (!selector.name.empty()) {
    // The last matcher is that of the bare name.
    for (size_t i = 0; i + 1 < selector.matchers.size(); ++i) {
      if (selector.matchers[i].name() != kMetricName) continue;
      Fail(selector.pos, "metric name must not be set twice: " + Quoted(selector.name) + " or " +
                             Quoted(selector.matchers[i].value()));
    }
    return;
  }
  if (may_match_everything) return;
  for (const Matcher& matcher : selector.matchers) {
    if (!matcher.MatchesEmpty()) return;
  }
  Fail(selector.pos, "vector selector must contain at least one non-empty matcher");
}

}  // namespace

std::optional<ParseError> CheckTypes(std::string_view query, Expr* expr) {
  TypeChecker checker(query);
  checker.Check(expr);
  return std::move(checker).error();
}

}  // namespace varve::promql
