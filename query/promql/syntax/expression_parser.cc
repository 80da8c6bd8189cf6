#include "query/promql/syntax/expression_parser.h"

#include <cmath>

#include "engine/model/labels.h"
#include "query/promql/syntax/function_table.h"
#include "query/promql/syntax/number_text.h"
#include "query/promql/syntax/parser.h"

namespace varve::promql {
namespace {

struct OperatorEntry {
  BinaryOp op;
  int precedence;  // higher binds tighter; 0: not a binary operator
};

constexpr int kUnaryPrecedence = 5;  // binds like *: -1^2 is -(1^2)
constexpr int kPowPrecedence = 6;

OperatorEntry BinaryOperator(TokenType type) {
  switch (type) {
    case TokenType::kOr: return {BinaryOp::kOr, 1};
    case TokenType::kAnd: return {BinaryOp::kAnd, 2};
    case TokenType::kUnless: return {BinaryOp::kUnless, 2};
    case TokenType::kEq: return {BinaryOp::kEq, 3};
    case TokenType::kNe: return {BinaryOp::kNe, 3};
    case TokenType::kLt: return {BinaryOp::kLt, 3};
    case TokenType::kGt: return {BinaryOp::kGt, 3};
    case TokenType::kLe: return {BinaryOp::kLe, 3};
    case TokenType::kGe: return {BinaryOp::kGe, 3};
    case TokenType::kTrimUpper: return {BinaryOp::kTrimUpper, 3};
    case TokenType::kTrimLower: return {BinaryOp::kTrimLower, 3};
    case TokenType::kAdd: return {BinaryOp::kAdd, 4};
    case TokenType::kSub: return {BinaryOp::kSub, 4};
    case TokenType::kMul: return {BinaryOp::kMul, kUnaryPrecedence};
    case TokenType::kDiv: return {BinaryOp::kDiv, kUnaryPrecedence};
    case TokenType::kMod: return {BinaryOp::kMod, kUnaryPrecedence};
    case TokenType::kAtan2: return {BinaryOp::kAtan2, kUnaryPrecedence};
    case TokenType::kPow: return {BinaryOp::kPow, kPowPrecedence};
    default: return {BinaryOp::kAdd, 0};
  }
}

bool BeginsExpression(TokenType type) {
  switch (type) {
    case TokenType::kNumber:
    case TokenType::kDuration:
    case TokenType::kString:
    case TokenType::kLeftParen:
    case TokenType::kLeftBrace:
    case TokenType::kAdd:
    case TokenType::kSub: return true;
    default: return CanBeMetricName(type);
  }
}

bool HasParameter(AggregateOp op) {
  return op == AggregateOp::kTopk || op == AggregateOp::kBottomk || op == AggregateOp::kCountValues ||
         op == AggregateOp::kQuantile || op == AggregateOp::kLimitk || op == AggregateOp::kLimitRatio;
}

}  // namespace

// One level of recursion, as long as it lives.
class ExpressionParser::Nesting {
 public:
  explicit Nesting(ExpressionParser* parser) : parser_(parser) {
    if (++parser_->depth_ > kDepthMax) {
      parser_->Fail(parser_->Peek().pos(), "the expression is nested deeper than " + std::to_string(kDepthMax) + " levels");
    }
  }
  ~Nesting() { --parser_->depth_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;
  bool ok() const { return !parser_->error_; }

 private:
  ExpressionParser* const parser_;
};

const Token& ExpressionParser::Peek() {
  if (!next_) {
    next_ = lexer_.Next();
    if (next_->type == TokenType::kError) {
      Fail({next_->begin, static_cast<int32_t>(text_.size())}, next_->error);
    }
  }
  return *next_;
}

Token ExpressionParser::Take() {
  Token token = Peek();
  next_.reset();
  return token;
}

bool ExpressionParser::TakeIf(TokenType type) {
  if (!Is(type)) return false;
  next_.reset();
  return true;
}

std::nullptr_t ExpressionParser::Fail(PositionRange pos, std::string message) {
  if (!error_) error_ = ParseError{pos, std::move(message)};
  return nullptr;
}

std::nullptr_t ExpressionParser::Unexpected(std::string_view context, std::string_view expected) {
  std::string message = "unexpected " + Peek().Description();
  if (!context.empty()) message.append(" in ").append(context);
  if (!expected.empty()) message.append(", expected ").append(expected);
  return Fail(Peek().pos(), std::move(message));
}

bool ExpressionParser::SetDepth(Expr* expr, std::initializer_list<const Expr*> children) {
  for (const Expr* child : children) {
    if (child != nullptr) expr->depth = std::max(expr->depth, child->depth + 1);
  }
  if (expr->depth <= kDepthMax) return true;
  Fail(expr->pos, "the expression is nested deeper than " + std::to_string(kDepthMax) + " levels");
  return false;
}

bool ExpressionParser::Unquoted(const Token& token, std::string* value) {
  Result<std::string> text = Unquote(token.text);
  if (!text.ok()) {
    Fail(token.pos(), "error unquoting string " + GoQuoted(token.text) + ": " + text.status().message());
    return false;
  }
  *value = std::move(*text);
  return true;
}

ExprPtr ExpressionParser::ParseAll() {
  if (Is(TokenType::kEnd)) return Fail({0, 0}, "no expression found in input");
  ExprPtr expr = ParseBinary(1);
  if (!expr) return nullptr;
  if (!Is(TokenType::kEnd)) return Unexpected();
  return expr;
}

ExprPtr ExpressionParser::ParseBinary(int precedence_min) {
  const Nesting nesting(this);
  if (!nesting.ok()) return nullptr;
  ExprPtr lhs = ParseUnary();
  while (lhs) {
    const OperatorEntry entry = BinaryOperator(Peek().type);
    if (entry.precedence < precedence_min || entry.precedence == 0) break;
    next_.reset();
    auto binary = std::make_unique<Binary>();
    binary->op = entry.op;
    if (!ParseModifiers(binary.get())) return nullptr;
    // All but ^ associate to the left.
    ExprPtr rhs = ParseBinary(entry.precedence == kPowPrecedence ? kPowPrecedence : entry.precedence + 1);
    if (!rhs) return nullptr;
    binary->pos = {lhs->pos.begin, rhs->pos.end};
    if (!SetDepth(binary.get(), {lhs.get(), rhs.get()})) return nullptr;
    binary->lhs = std::move(lhs);
    binary->rhs = std::move(rhs);
    lhs = std::move(binary);
  }
  return error_ ? nullptr : std::move(lhs);
}

ExprPtr ExpressionParser::ParseUnary() {
  if (!Is(TokenType::kAdd) && !Is(TokenType::kSub)) {
    ExprPtr primary = ParsePrimary();
    return primary ? ParsePostfix(std::move(primary)) : nullptr;
  }
  const Token sign = Take();
  ExprPtr operand = ParseBinary(kUnaryPrecedence + 1);
  if (!operand) return nullptr;
  const bool negate = sign.type == TokenType::kSub;
  if (operand->kind == ExprKind::kNumber) {
    auto& number = Cast<NumberLiteral>(*operand);
    if (negate) number.value = -number.value;
    number.pos.begin = sign.begin;
    return operand;
  }
  auto unary = std::make_unique<Unary>();
  unary->negate = negate;
  unary->pos = {sign.begin, operand->pos.end};
  if (!SetDepth(unary.get(), {operand.get()})) return nullptr;
  unary->expr = std::move(operand);
  return unary;
}

ExprPtr ExpressionParser::ParsePrimary() {
  const TokenType type = Peek().type;
  switch (type) {
    case TokenType::kNumber:
    case TokenType::kDuration: return ParseNumber();
    case TokenType::kString: return ParseString();
    case TokenType::kLeftParen: return ParseParen();
    case TokenType::kLeftBrace: return ParseVectorSelector(nullptr);
    default: break;
  }
  if (!CanBeMetricName(type)) return Unexpected();
  const Token word = Take();
  if (IsAggregator(type) && (Is(TokenType::kLeftParen) || Is(TokenType::kBy) || Is(TokenType::kWithout))) {
    return ParseAggregate(word);
  }
  if ((type == TokenType::kIdentifier || IsTimeWord(type)) && Is(TokenType::kLeftParen)) return ParseCall(word);
  return ParseVectorSelector(&word);
}

ExprPtr ExpressionParser::ParseParen() {
  const Token open = Take();
  ExprPtr inner = ParseBinary(1);
  if (!inner) return nullptr;
  if (!Is(TokenType::kRightParen)) return Unexpected();
  auto paren = std::make_unique<Paren>();
  paren->pos = {open.begin, Take().pos().end};
  if (!SetDepth(paren.get(), {inner.get()})) return nullptr;
  paren->expr = std::move(inner);
  return paren;
}

ExprPtr ExpressionParser::ParseNumber() {
  const Token token = Take();
  auto number = std::make_unique<NumberLiteral>();
  number->pos = token.pos();
  if (token.type == TokenType::kNumber) {
    const Result<double> value = promql::ParseNumber(token.text);
    if (!value.ok()) return Fail(token.pos(), "error parsing number: " + value.status().message());
    number->value = *value;
    return number;
  }
  const Result<int64_t> ns = ParseDurationNs(token.text);
  if (!ns.ok()) return Fail(token.pos(), ns.status().message());
  // As Go's Duration.Seconds: whole seconds and the rest apart, so that no digit is lost.
  constexpr int64_t kNsPerSecond = 1000 * 1000 * 1000;
  number->value = static_cast<double>(*ns / kNsPerSecond) + static_cast<double>(*ns % kNsPerSecond) / 1e9;
  number->is_duration = true;
  return number;
}

ExprPtr ExpressionParser::ParseString() {
  const Token token = Take();
  auto literal = std::make_unique<StringLiteral>();
  literal->pos = token.pos();
  if (!Unquoted(token, &literal->value)) return nullptr;
  return literal;
}

ExprPtr ExpressionParser::ParseAggregate(const Token& op) {
  ++aggregations_;
  auto aggregate = std::make_unique<Aggregate>();
  aggregate->op = static_cast<AggregateOp>(static_cast<int>(op.type) - static_cast<int>(TokenType::kSum));
  const auto parse_modifier = [&] {
    aggregate->without = Take().type == TokenType::kWithout;
    return ParseGrouping(&aggregate->grouping);
  };
  const bool grouped_before = !Is(TokenType::kLeftParen);
  if (grouped_before && !parse_modifier()) return nullptr;
  if (!Is(TokenType::kLeftParen)) return Unexpected();
  std::vector<ExprPtr> args;
  if (!ParseArguments(&args)) return nullptr;
  aggregate->pos = {op.begin, args_end_};
  if (!grouped_before && (Is(TokenType::kBy) || Is(TokenType::kWithout))) {
    if (!parse_modifier()) return nullptr;
    aggregate->pos.end = args_end_;
  }
  --aggregations_;
  if (error_) return nullptr;
  if (args.empty()) return Fail(aggregate->pos, "no arguments for aggregate expression provided");
  const size_t wanted = HasParameter(aggregate->op) ? 2 : 1;
  if (args.size() != wanted) {
    return Fail(aggregate->pos, "wrong number of arguments for aggregate expression provided, expected " +
                                    std::to_string(wanted) + ", got " + std::to_string(args.size()));
  }
  if (wanted == 2) aggregate->param = std::move(args[0]);
  aggregate->expr = std::move(args[wanted - 1]);
  if (!SetDepth(aggregate.get(), {aggregate->param.get(), aggregate->expr.get()})) return nullptr;
  return aggregate;
}

ExprPtr ExpressionParser::ParseCall(const Token& name) {
  std::vector<ExprPtr> args;
  if (!ParseArguments(&args)) return nullptr;
  if (name.text == "logql") return MakeLogql(name, std::move(args));
  auto call = std::make_unique<Call>();
  call->function = FindFunction(name.text);
  if (call->function == nullptr) return Fail(name.pos(), "unknown function with name " + GoQuoted(name.text));
  call->pos = {name.begin, args_end_};
  for (ExprPtr& arg : args) {
    if (!SetDepth(call.get(), {arg.get()})) return nullptr;
  }
  call->args = std::move(args);
  return call;
}

// Not in the table of functions: Prometheus has none of that name, and its argument is another language.
ExprPtr ExpressionParser::MakeLogql(const Token& name, std::vector<ExprPtr> args) {
  const PositionRange pos = {name.begin, args_end_};
  if (args.size() != 1) {
    return Fail(pos, "expected 1 argument(s) in call to \"logql\", got " + std::to_string(args.size()));
  }
  if (args[0]->kind != ExprKind::kString) {
    return Fail(args[0]->pos, "expected a string literal in call to function \"logql\"");
  }
  auto logql = std::make_unique<LogqlVector>();
  logql->pos = pos;
  logql->query = std::move(Cast<StringLiteral>(*args[0]).value);
  return logql;
}

bool ExpressionParser::ParseArguments(std::vector<ExprPtr>* args) {
  next_.reset();  // the left parenthesis
  if (!Is(TokenType::kRightParen)) {
    while (true) {
      ExprPtr arg = ParseBinary(1);
      if (!arg) return false;
      args->push_back(std::move(arg));
      if (!Is(TokenType::kComma)) break;
      const Token comma = Take();
      Peek();
      if (error_) return false;
      if (!BeginsExpression(Peek().type)) {
        Fail(comma.pos(), "trailing commas not allowed in function call args");
        return false;
      }
    }
  }
  if (!Is(TokenType::kRightParen)) {
    Unexpected();
    return false;
  }
  args_end_ = Take().pos().end;
  return true;
}

bool ExpressionParser::ParseModifiers(Binary* binary) {
  VectorMatching matching;
  binary->return_bool = TakeIf(TokenType::kBool);
  if (Is(TokenType::kOn) || Is(TokenType::kIgnoring)) {
    matching.on = Take().type == TokenType::kOn;
    if (!ParseGrouping(&matching.labels)) return false;
    if (Is(TokenType::kGroupLeft) || Is(TokenType::kGroupRight)) {
      matching.card = Take().type == TokenType::kGroupLeft ? MatchCardinality::kManyToOne : MatchCardinality::kOneToMany;
      // Without labels, the right operand must follow.
      const bool labels = Is(TokenType::kLeftParen) || !BeginsExpression(Peek().type);
      if (labels && !ParseGrouping(&matching.include)) return false;
    }
  }
  if (!ParseFill(&matching)) return false;
  binary->matching = std::move(matching);
  return !error_;
}

bool ExpressionParser::ParseFill(VectorMatching* matching) {
  double value = 0;
  if (TakeIf(TokenType::kFill)) {
    if (!ParseFillValue(&value)) return false;
    matching->fill_left = matching->fill_right = value;
    return true;
  }
  const bool left_first = Is(TokenType::kFillLeft);
  if (!left_first && !Is(TokenType::kFillRight)) return true;
  for (int i = 0; i < 2; ++i) {
    const bool left = left_first == (i == 0);
    if (!TakeIf(left ? TokenType::kFillLeft : TokenType::kFillRight)) return true;
    if (!ParseFillValue(&value)) return false;
    (left ? matching->fill_left : matching->fill_right) = value;
  }
  return true;
}

bool ExpressionParser::ParseFillValue(double* value) {
  const auto unexpected = [this] {
    Unexpected();
    return false;
  };
  if (!TakeIf(TokenType::kLeftParen)) return unexpected();
  bool negate = false;
  if (Is(TokenType::kAdd) || Is(TokenType::kSub)) negate = Take().type == TokenType::kSub;
  if (!Is(TokenType::kNumber) && !Is(TokenType::kDuration)) return unexpected();
  const ExprPtr number = ParseNumber();
  if (!number) return false;
  *value = Cast<NumberLiteral>(*number).value;
  if (negate) *value = -*value;
  return TakeIf(TokenType::kRightParen) || unexpected();
}

bool ExpressionParser::ParseGrouping(std::vector<std::string>* labels) {
  if (!TakeIf(TokenType::kLeftParen)) {
    Unexpected("grouping opts", "\"(\"");
    return false;
  }
  while (!Is(TokenType::kRightParen)) {
    if (!ParseGroupingLabel(labels)) return false;
    if (TakeIf(TokenType::kComma)) continue;
    if (Is(TokenType::kRightParen)) break;
    Unexpected("grouping opts", "\",\" or \")\"");
    return false;
  }
  args_end_ = Take().pos().end;
  return true;
}

bool ExpressionParser::ParseGroupingLabel(std::vector<std::string>* labels) {
  if (!Is(TokenType::kString) && !CanBeLabelName(Peek().type)) {
    Unexpected("grouping opts", "label");
    return false;
  }
  const Token token = Take();
  std::string name(token.text);
  if (token.type == TokenType::kString && !Unquoted(token, &name)) return false;
  if (name.empty() || !IsValidUtf8(name)) {
    Fail(token.pos(), "invalid label name for grouping: " + GoQuoted(name));
    return false;
  }
  labels->push_back(std::move(name));
  return true;
}

}  // namespace varve::promql
