// Durations that are computed: [5m * 2], offset -step(), [max_of(1m, step()):].
//
// A null without an error means that the next token does not begin or go on with a duration; the caller knows the
// words for that.
#include <cmath>

#include "query/promql/syntax/expression_parser.h"
#include "query/promql/syntax/parser.h"

namespace varve::promql {
namespace {

struct OperatorEntry {
  DurationExpr::Op op;
  int precedence;  // 0: not an operator of durations
};

constexpr int kMulPrecedence = 2;
constexpr int kPowPrecedence = 3;

OperatorEntry DurationOperator(TokenType type) {
  switch (type) {
    case TokenType::kAdd: return {DurationExpr::Op::kAdd, 1};
    case TokenType::kSub: return {DurationExpr::Op::kSub, 1};
    case TokenType::kMul: return {DurationExpr::Op::kMul, kMulPrecedence};
    case TokenType::kDiv: return {DurationExpr::Op::kDiv, kMulPrecedence};
    case TokenType::kMod: return {DurationExpr::Op::kMod, kMulPrecedence};
    case TokenType::kPow: return {DurationExpr::Op::kPow, kPowPrecedence};
    default: return {DurationExpr::Op::kAdd, 0};
  }
}

// Beyond this, nanoseconds leave 64 bits.
bool OutOfRange(double seconds) { return std::fabs(seconds) > 9223372036.854775808; }

bool IsZero(const Expr& expr) {
  return expr.kind == ExprKind::kNumber && Cast<NumberLiteral>(expr).value == 0;
}

}  // namespace

ExprPtr ExpressionParser::ParsePositiveDuration() {
  ExprPtr expr = ParseDurationExpr(1);
  if (!expr) return nullptr;
  Peek();
  if (error_) return nullptr;
  // As Prometheus: NaN is not refused here.
  if (expr->kind == ExprKind::kNumber && Cast<NumberLiteral>(*expr).value <= 0) {
    return Fail(expr->pos, "duration must be greater than 0");
  }
  return expr;
}

ExprPtr ExpressionParser::ParseDurationExpr(int precedence_min) {
  if (++depth_ > kDepthMax) {
    return Fail(Peek().pos(), "the expression is nested deeper than " + std::to_string(kDepthMax) + " levels");
  }
  ExprPtr expr = ParseDurationUnary();
  if (expr) expr = ContinueDuration(std::move(expr), precedence_min);
  --depth_;
  return error_ ? nullptr : std::move(expr);
}

// The binary operators behind `lhs`.
ExprPtr ExpressionParser::ContinueDuration(ExprPtr lhs, int precedence_min) {
  while (lhs && !error_) {
    const OperatorEntry entry = DurationOperator(Peek().type);
    if (entry.precedence == 0 || entry.precedence < precedence_min) break;
    const Token op = Take();
    ExprPtr rhs = ParseDurationExpr(entry.precedence == kPowPrecedence ? kPowPrecedence : entry.precedence + 1);
    if (!rhs) return nullptr;
    if (entry.op == DurationExpr::Op::kDiv && IsZero(*rhs)) return Fail(op.pos(), "division by zero");
    if (entry.op == DurationExpr::Op::kMod && IsZero(*rhs)) return Fail(op.pos(), "modulo by zero");
    auto binary = std::make_unique<DurationExpr>();
    binary->op = entry.op;
    binary->pos = {lhs->pos.begin, rhs->pos.end};
    if (!SetDepth(binary.get(), {lhs.get(), rhs.get()})) return nullptr;
    binary->lhs = std::move(lhs);
    binary->rhs = std::move(rhs);
    lhs = std::move(binary);
  }
  return lhs;
}

ExprPtr ExpressionParser::ParseDurationUnary() {
  if (!Is(TokenType::kAdd) && !Is(TokenType::kSub)) return ParseDurationPrimary();
  const Token sign = Take();
  ExprPtr operand = ParseDurationExpr(kPowPrecedence);
  return operand ? NegatedDuration(sign, std::move(operand)) : nullptr;
}

// `sign` may also be a plus, which leaves the expression as it is.
ExprPtr ExpressionParser::NegatedDuration(const Token& sign, ExprPtr expr) {
  const bool negate = sign.type == TokenType::kSub;
  if (expr->kind == ExprKind::kNumber) {
    auto& number = Cast<NumberLiteral>(*expr);
    if (negate) number.value = -number.value;
    if (OutOfRange(number.value)) return Fail(sign.pos(), "duration out of range");
    number.pos.begin = sign.begin;
    return expr;
  }
  if (!negate) return expr;
  auto unary = std::make_unique<DurationExpr>();
  unary->op = DurationExpr::Op::kSub;
  unary->pos = {sign.begin, expr->pos.end};
  if (!SetDepth(unary.get(), {expr.get()})) return nullptr;
  unary->rhs = std::move(expr);
  return unary;
}

// Marks an expression as written in parentheses; a bare number becomes a unary plus for that.
ExprPtr ExpressionParser::WrappedDuration(ExprPtr expr, PositionRange pos) {
  if (expr->kind == ExprKind::kDuration) {
    Cast<DurationExpr>(*expr).wrapped = true;
    return expr;
  }
  auto wrapped = std::make_unique<DurationExpr>();
  wrapped->op = DurationExpr::Op::kAdd;
  wrapped->pos = pos;
  wrapped->depth = expr->depth + 1;
  wrapped->rhs = std::move(expr);
  wrapped->wrapped = true;
  return wrapped;
}

ExprPtr ExpressionParser::ParseDurationPrimary() {
  switch (Peek().type) {
    case TokenType::kNumber:
    case TokenType::kDuration: return DurationNumber();
    case TokenType::kStep:
    case TokenType::kRange:
    case TokenType::kMaxOf:
    case TokenType::kMinOf: return ParseDurationCall();
    case TokenType::kLeftParen: {
      const Token open = Take();
      ExprPtr inner = ParseDurationExpr(1);
      if (!inner || !Is(TokenType::kRightParen)) return nullptr;
      const PositionRange pos = {open.begin, Take().pos().end};
      return WrappedDuration(std::move(inner), pos);
    }
    default: return nullptr;
  }
}

ExprPtr ExpressionParser::DurationNumber() {
  ExprPtr number = ParseNumber();
  if (!number) return nullptr;
  if (OutOfRange(Cast<NumberLiteral>(*number).value)) return Fail(number->pos, "duration out of range");
  return number;
}

ExprPtr ExpressionParser::ParseDurationCall() {
  const Token word = Take();
  if (!TakeIf(TokenType::kLeftParen)) return nullptr;
  auto call = std::make_unique<DurationExpr>();
  if (word.type == TokenType::kStep || word.type == TokenType::kRange) {
    call->op = word.type == TokenType::kStep ? DurationExpr::Op::kStep : DurationExpr::Op::kRange;
  } else {
    call->op = word.type == TokenType::kMinOf ? DurationExpr::Op::kMin : DurationExpr::Op::kMax;
    call->lhs = ParseDurationExpr(1);
    if (!call->lhs || !TakeIf(TokenType::kComma)) return nullptr;
    call->rhs = ParseDurationExpr(1);
    if (!call->rhs) return nullptr;
  }
  if (!Is(TokenType::kRightParen)) return nullptr;
  call->pos = {word.begin, Take().pos().end};
  // Prometheus gives a call with arguments the place of its arguments.
  if (call->lhs) call->pos = {call->lhs->pos.begin, call->rhs->pos.end};
  if (!SetDepth(call.get(), {call->lhs.get(), call->rhs.get()})) return nullptr;
  return call;
}

// What stands behind `offset` ends with the first number or call, so that `foo offset 5m * 2` is twice foo of five
// minutes ago; an expression that begins with a parenthesis, or with two signs, goes on as far as it can.
ExprPtr ExpressionParser::ParseOffsetDuration() {
  switch (Peek().type) {
    case TokenType::kNumber:
    case TokenType::kDuration: return DurationNumber();
    case TokenType::kStep:
    case TokenType::kRange:
    case TokenType::kMaxOf:
    case TokenType::kMinOf: return ParseDurationCall();
    case TokenType::kLeftParen: return ParseDurationExpr(1);
    case TokenType::kAdd:
    case TokenType::kSub: break;
    default: return nullptr;
  }
  const Token sign = Take();
  switch (Peek().type) {
    case TokenType::kAdd:
    case TokenType::kSub: {
      // A second sign: the whole is a duration expression.
      ExprPtr operand = ParseDurationExpr(kPowPrecedence);
      if (operand) operand = NegatedDuration(sign, std::move(operand));
      return operand ? ContinueDuration(std::move(operand), 1) : nullptr;
    }
    case TokenType::kNumber:
    case TokenType::kDuration: {
      ExprPtr number = DurationNumber();
      return number ? NegatedDuration(sign, std::move(number)) : nullptr;
    }
    default: break;
  }
  ExprPtr operand = ParseDurationPrimary();
  if (!operand) return nullptr;
  if (operand->kind == ExprKind::kDuration && Cast<DurationExpr>(*operand).wrapped) {
    return NegatedDuration(sign, std::move(operand));
  }
  // Before a call the sign is kept, even a plus.
  auto unary = std::make_unique<DurationExpr>();
  unary->op = sign.type == TokenType::kSub ? DurationExpr::Op::kSub : DurationExpr::Op::kAdd;
  unary->pos = {sign.begin, operand->pos.end};
  if (!SetDepth(unary.get(), {operand.get()})) return nullptr;
  unary->rhs = std::move(operand);
  return unary;
}

}  // namespace varve::promql
