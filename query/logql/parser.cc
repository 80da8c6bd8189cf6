#include "query/logql/parser.h"

#include <utility>

#include "query/logql/arithmetic.h"
#include "query/logql/literals.h"
#include "query/logql/parser_state.h"
#include "query/logql/validation.h"

namespace varve::logql {
namespace {

struct Operator {
  BinaryOp op;
  int precedence;  // higher binds tighter
  bool right_associative = false;
};

std::optional<Operator> OperatorOf(TokenKind kind) {
  switch (kind) {
    case TokenKind::kOr: return Operator{BinaryOp::kOr, 1};
    case TokenKind::kAnd: return Operator{BinaryOp::kAnd, 2};
    case TokenKind::kUnless: return Operator{BinaryOp::kUnless, 2};
    case TokenKind::kEqualEqual: return Operator{BinaryOp::kEq, 3};
    case TokenKind::kNotEqual: return Operator{BinaryOp::kNe, 3};
    case TokenKind::kGreater: return Operator{BinaryOp::kGt, 3};
    case TokenKind::kGreaterEqual: return Operator{BinaryOp::kGe, 3};
    case TokenKind::kLess: return Operator{BinaryOp::kLt, 3};
    case TokenKind::kLessEqual: return Operator{BinaryOp::kLe, 3};
    case TokenKind::kAdd: return Operator{BinaryOp::kAdd, 4};
    case TokenKind::kSub: return Operator{BinaryOp::kSub, 4};
    case TokenKind::kMul: return Operator{BinaryOp::kMul, 5};
    case TokenKind::kDiv: return Operator{BinaryOp::kDiv, 5};
    case TokenKind::kMod: return Operator{BinaryOp::kMod, 5};
    case TokenKind::kPow: return Operator{BinaryOp::kPow, 6, true};
    default: return std::nullopt;
  }
}

template <typename Node>
void SetExpr(Node node, uint32_t height, ParsedExpr* out) {
  out->expr = std::make_unique<const Expr>(Expr{std::move(node)});
  out->height = height;
}

}  // namespace

Result<ExprPtr> ParseExprWithoutValidation(std::string_view query) {
  if (query.size() >= kQueryBytesMax) {
    return SemanticError("input size too long (" + std::to_string(query.size()) + " > " +
                         std::to_string(kQueryBytesMax) + ")");
  }
  return Parser(query).ParseQuery();
}

Result<ExprPtr> ParseExpr(std::string_view query) {
  VARVE_ASSIGN_OR_RETURN(ExprPtr expr, ParseExprWithoutValidation(query));
  VARVE_RETURN_IF_ERROR(ValidateSelectors(*expr));
  return expr;
}

Result<std::vector<Matcher>> ParseMatchers(std::string_view selector) {
  VARVE_ASSIGN_OR_RETURN(const ExprPtr expr, ParseExprWithoutValidation(selector));
  const auto* log = std::get_if<LogSelector>(&expr->node);
  if (log == nullptr || !log->stages.empty()) return InvalidArgument("only label matchers are supported");
  if (!log->matchers.empty()) VARVE_RETURN_IF_ERROR(ValidateMatchers(log->matchers));
  return log->matchers;
}

// ---- Tokens -------------------------------------------------------------------------------------

Status Parser::Unexpected(std::string_view expected) const {
  std::string message = "syntax error: unexpected " + TokenName(token_);
  if (!expected.empty()) {
    message += ", expecting ";
    message += expected;
  }
  return ParseErrorAt(token_.line, token_.column, message);
}

Status Parser::TooDeep() const {
  return ParseErrorAt(token_.line, token_.column,
                      "nesting too deep (more than " + std::to_string(kNestingMax) + " levels)");
}

void Parser::Defer(Position start, Status status) {
  if (status.ok()) return;
  const bool first = deferred_.ok() || start.line < deferred_start_.line ||
                     (start.line == deferred_start_.line && start.column <= deferred_start_.column);
  if (!first) return;
  deferred_ = std::move(status);
  deferred_start_ = start;
}

Status Parser::Expect(TokenKind kind, std::string_view expected) {
  if (!At(kind)) return Unexpected(expected);
  return Advance();
}

Status Parser::ExpectText(TokenKind kind, std::string_view expected, std::string* out) {
  if (!At(kind)) return Unexpected(expected);
  *out = std::move(token_.text);
  return Advance();
}

// ---- Expressions --------------------------------------------------------------------------------

Result<ExprPtr> Parser::ParseQuery() {
  VARVE_RETURN_IF_ERROR(Advance());
  ParsedExpr parsed;
  VARVE_RETURN_IF_ERROR(ParseBinary(0, &parsed));
  if (!At(TokenKind::kEnd)) return Unexpected();
  if (!deferred_.ok()) return std::move(deferred_);
  return std::move(parsed.expr);
}

// Operands joined by operators of at least this precedence.
Status Parser::ParseBinary(int min_precedence, ParsedExpr* out) {
  const Level level(this);
  if (level.too_deep()) return TooDeep();
  const Position start = Here();
  VARVE_RETURN_IF_ERROR(ParseOperand(out));
  while (const std::optional<Operator> next = OperatorOf(token_.kind)) {
    if (next->precedence < min_precedence) break;
    VARVE_RETURN_IF_ERROR(Advance());
    BinaryOperation operation;
    operation.op = next->op;
    VARVE_RETURN_IF_ERROR(ParseOperatorModifiers(&operation));
    ParsedExpr right;
    VARVE_RETURN_IF_ERROR(
        ParseBinary(next->right_associative ? next->precedence : next->precedence + 1, &right));
    Defer(start, CheckOperands(operation.op, *out->expr, *right.expr));
    VARVE_RETURN_IF_ERROR(CombineOperands(std::move(operation), std::move(*out), std::move(right), out));
  }
  return Status::Ok();
}

Status Parser::CombineOperands(BinaryOperation operation, ParsedExpr left, ParsedExpr right,
                               ParsedExpr* out) {
  const auto* left_literal = std::get_if<LiteralNumber>(&left.expr->node);
  const auto* right_literal = std::get_if<LiteralNumber>(&right.expr->node);
  if (left_literal != nullptr && right_literal != nullptr) {
    SetExpr(LiteralNumber{ApplyToNumbers(operation.op, left_literal->value, right_literal->value)}, 1, out);
    return Status::Ok();
  }
  const uint32_t height = std::max(left.height, right.height) + 1;
  if (height > kNestingMax) return TooDeep();
  operation.left = std::move(left.expr);
  operation.right = std::move(right.expr);
  SetExpr(std::move(operation), height, out);
  return Status::Ok();
}

Status Parser::ParseOperatorModifiers(BinaryOperation* out) {
  if (At(TokenKind::kBool)) {
    out->return_bool = true;
    VARVE_RETURN_IF_ERROR(Advance());
  }
  if (!At(TokenKind::kOn) && !At(TokenKind::kIgnoring)) return Status::Ok();
  VectorMatching& matching = out->matching;
  matching.explicit_matching = true;
  matching.on = At(TokenKind::kOn);
  VARVE_RETURN_IF_ERROR(Advance());
  VARVE_RETURN_IF_ERROR(ParseNameList(&matching.labels));
  if (!At(TokenKind::kGroupLeft) && !At(TokenKind::kGroupRight)) return Status::Ok();
  matching.cardinality = At(TokenKind::kGroupLeft) ? VectorMatching::Cardinality::kManyToOne
                                                   : VectorMatching::Cardinality::kOneToMany;
  VARVE_RETURN_IF_ERROR(Advance());
  // A parenthesis here always opens the list of labels, never the right operand.
  if (At(TokenKind::kLeftParen)) return ParseNameList(&matching.include);
  return Status::Ok();
}

Status Parser::ParseOperand(ParsedExpr* out) {
  switch (token_.kind) {
    case TokenKind::kLeftBrace: return ParseLogQuery(out);
    case TokenKind::kLeftParen: return ParseParenthesised(out);
    case TokenKind::kNumber:
    case TokenKind::kAdd:
    case TokenKind::kSub: return ParseLiteral(out);
    case TokenKind::kRangeFunction: return ParseRangeAggregation(out);
    case TokenKind::kVectorFunction: return ParseVectorAggregation(out);
    case TokenKind::kVector: return ParseVectorFunction(out);
    case TokenKind::kLabelReplace: return ParseLabelReplace(out);
    case TokenKind::kVariants: return InvalidArgument("multi variant queries are disabled for this instance");
    default: return Unexpected();
  }
}

Status Parser::ParseParenthesised(ParsedExpr* out) {
  VARVE_RETURN_IF_ERROR(Advance());
  VARVE_RETURN_IF_ERROR(ParseBinary(0, out));
  return Expect(TokenKind::kRightParen, "");
}

Status Parser::ParseMetric(ParsedExpr* out) {
  VARVE_RETURN_IF_ERROR(ParseBinary(0, out));
  // A log query could still have become the left side of an operator, so the error is what follows it.
  return out->expr->is_log_query() ? Unexpected() : Status::Ok();
}

Status Parser::ParseLogQuery(ParsedExpr* out) {
  LogSelector selector;
  VARVE_RETURN_IF_ERROR(ParseSelector(&selector.matchers));
  VARVE_RETURN_IF_ERROR(ParsePipeline(&selector.stages, nullptr));
  SetExpr(std::move(selector), 1, out);
  return Status::Ok();
}

Status Parser::ParseLiteral(ParsedExpr* out) {
  const bool negative = At(TokenKind::kSub);
  if (!At(TokenKind::kNumber)) VARVE_RETURN_IF_ERROR(Advance());
  std::string text;
  VARVE_RETURN_IF_ERROR(ExpectText(TokenKind::kNumber, "NUMBER", &text));
  Result<double> value = ParseNumber(text);
  if (!value.ok()) return SemanticError("unable to parse literal as a float: " + value.status().message());
  SetExpr(LiteralNumber{negative ? -*value : *value}, 1, out);
  return Status::Ok();
}

Status Parser::ParseVectorFunction(ParsedExpr* out) {
  VARVE_RETURN_IF_ERROR(Advance());
  VARVE_RETURN_IF_ERROR(Expect(TokenKind::kLeftParen, "("));
  std::string text;
  VARVE_RETURN_IF_ERROR(ExpectText(TokenKind::kNumber, "NUMBER", &text));
  VARVE_RETURN_IF_ERROR(Expect(TokenKind::kRightParen, ")"));
  Result<double> value = ParseNumber(text);
  if (!value.ok()) return SemanticError("unable to parse vectorExpr as a float: " + value.status().message());
  SetExpr(VectorFunction{*value}, 1, out);
  return Status::Ok();
}

Status Parser::ParseLabelReplace(ParsedExpr* out) {
  const Position start = Here();
  VARVE_RETURN_IF_ERROR(Advance());
  VARVE_RETURN_IF_ERROR(Expect(TokenKind::kLeftParen, "("));
  ParsedExpr operand;
  VARVE_RETURN_IF_ERROR(ParseMetric(&operand));
  LabelReplace replace;
  bool first = true;
  for (std::string* argument :
       {&replace.destination, &replace.replacement, &replace.source, &replace.pattern}) {
    VARVE_RETURN_IF_ERROR(Expect(TokenKind::kComma, first ? "" : ","));
    VARVE_RETURN_IF_ERROR(ExpectText(TokenKind::kString, "STRING", argument));
    first = false;
  }
  VARVE_RETURN_IF_ERROR(Expect(TokenKind::kRightParen, ")"));
  Result<Regex> regex = CompileRegex("^(?:" + replace.pattern + ")$", {});
  if (regex.ok()) {
    regex_budget_.Charge(*regex);
    VARVE_RETURN_IF_ERROR(regex_budget_.status());
    replace.regex = *std::move(regex);
  } else {
    Defer(start, SemanticError("invalid regex in label_replace: " + regex.status().message()));
  }
  replace.operand = std::move(operand.expr);
  if (operand.height >= kNestingMax) return TooDeep();
  SetExpr(std::move(replace), operand.height + 1, out);
  return Status::Ok();
}

Status Parser::ParseRangeAggregation(ParsedExpr* out) {
  const Position start = Here();
  RangeAggregation aggregation;
  aggregation.op = token_.range_op;
  VARVE_RETURN_IF_ERROR(Advance());
  VARVE_RETURN_IF_ERROR(Expect(TokenKind::kLeftParen, "("));
  std::optional<std::string> parameter;
  if (At(TokenKind::kNumber)) {
    VARVE_RETURN_IF_ERROR(ExpectText(TokenKind::kNumber, "", &parameter.emplace()));
    VARVE_RETURN_IF_ERROR(Expect(TokenKind::kComma, ","));
  }
  if (!At(TokenKind::kLeftBrace) && !At(TokenKind::kLeftParen)) {
    return Unexpected(parameter ? "{ or (" : "NUMBER or { or (");
  }
  bool has_range = false;
  VARVE_RETURN_IF_ERROR(ParseLogRange(false, &aggregation.range, &has_range));
  VARVE_RETURN_IF_ERROR(Expect(TokenKind::kRightParen, ")"));
  VARVE_RETURN_IF_ERROR(ParseGrouping(&aggregation.grouping));
  Defer(start, CheckRangeAggregation(parameter, &aggregation));
  SetExpr(std::move(aggregation), 1, out);
  return Status::Ok();
}

Status Parser::ParseVectorAggregation(ParsedExpr* out) {
  const Position start = Here();
  VectorAggregation aggregation;
  aggregation.op = token_.vector_op;
  VARVE_RETURN_IF_ERROR(Advance());
  VARVE_RETURN_IF_ERROR(ParseGrouping(&aggregation.grouping));
  VARVE_RETURN_IF_ERROR(Expect(TokenKind::kLeftParen, "("));
  std::optional<std::string> parameter;
  if (At(TokenKind::kNumber)) {
    // `topk(5, …)` has a parameter, `sum(5 * …)` does not.
    Lexer ahead = lexer_;
    Token after;
    VARVE_RETURN_IF_ERROR(ahead.Next(&after));
    if (after.kind == TokenKind::kComma) {
      parameter = std::move(token_.text);
      lexer_ = ahead;
      VARVE_RETURN_IF_ERROR(Advance());
    }
  }
  ParsedExpr operand;
  VARVE_RETURN_IF_ERROR(ParseMetric(&operand));
  VARVE_RETURN_IF_ERROR(Expect(TokenKind::kRightParen, ""));
  if (!aggregation.grouping) VARVE_RETURN_IF_ERROR(ParseGrouping(&aggregation.grouping));
  Defer(start, CheckVectorAggregation(parameter, &aggregation));
  if (operand.height >= kNestingMax) return TooDeep();
  aggregation.operand = std::move(operand.expr);
  SetExpr(std::move(aggregation), operand.height + 1, out);
  return Status::Ok();
}

// The range stands right after the selector or at the end. Parentheses hold either all of it, or a
// selector and its stages with the range behind them (`range_optional`: such parentheses are open).
Status Parser::ParseLogRange(bool range_optional, LogRange* out, bool* has_range) {
  const Level level(this);
  if (level.too_deep()) return TooDeep();
  *has_range = true;
  if (At(TokenKind::kLeftParen)) {
    VARVE_RETURN_IF_ERROR(Advance());
    if (!At(TokenKind::kLeftBrace) && !At(TokenKind::kLeftParen)) return Unexpected("{ or (");
    bool inner_has_range = false;
    VARVE_RETURN_IF_ERROR(ParseLogRange(true, out, &inner_has_range));
    VARVE_RETURN_IF_ERROR(Expect(TokenKind::kRightParen, inner_has_range ? ")" : ""));
    if (inner_has_range) return Status::Ok();
    VARVE_RETURN_IF_ERROR(ParseRangeAndOffset(out));
    if (!out->selector.stages.empty() || out->unwrap) return Status::Ok();
    return ParsePipeline(&out->selector.stages, &out->unwrap);
  }
  VARVE_RETURN_IF_ERROR(ParseSelector(&out->selector.matchers));
  if (At(TokenKind::kRange)) {
    VARVE_RETURN_IF_ERROR(ParseRangeAndOffset(out));
    return ParsePipeline(&out->selector.stages, &out->unwrap);
  }
  VARVE_RETURN_IF_ERROR(ParsePipeline(&out->selector.stages, &out->unwrap));
  if (At(TokenKind::kRange)) return ParseRangeAndOffset(out);
  *has_range = false;
  return range_optional && At(TokenKind::kRightParen) ? Status::Ok()
                                                      : Unexpected(out->unwrap ? "RANGE or |" : "");
}

Status Parser::ParseRangeAndOffset(LogRange* out) {
  if (!At(TokenKind::kRange)) return Unexpected("RANGE");
  out->range_ns = token_.duration_ns;
  VARVE_RETURN_IF_ERROR(Advance());
  if (!At(TokenKind::kOffset)) return Status::Ok();
  VARVE_RETURN_IF_ERROR(Advance());
  if (!At(TokenKind::kDuration)) return Unexpected("DURATION");
  out->offset_ns = token_.duration_ns;
  return Advance();
}

Status Parser::ParseGrouping(std::optional<Grouping>* out) {
  if (!At(TokenKind::kBy) && !At(TokenKind::kWithout)) return Status::Ok();
  Grouping& grouping = out->emplace();
  grouping.without = At(TokenKind::kWithout);
  VARVE_RETURN_IF_ERROR(Advance());
  return ParseNameList(&grouping.labels);
}

// "(" [ IDENT { "," IDENT } ] ")"
Status Parser::ParseNameList(std::vector<std::string>* out) {
  VARVE_RETURN_IF_ERROR(Expect(TokenKind::kLeftParen, "("));
  if (At(TokenKind::kRightParen)) return Advance();
  std::string_view expected = "IDENTIFIER or )";
  while (true) {
    VARVE_RETURN_IF_ERROR(ExpectText(TokenKind::kIdentifier, expected, &out->emplace_back()));
    if (At(TokenKind::kRightParen)) return Advance();
    VARVE_RETURN_IF_ERROR(Expect(TokenKind::kComma, ", or )"));
    expected = "IDENTIFIER";
  }
}

}  // namespace varve::logql
