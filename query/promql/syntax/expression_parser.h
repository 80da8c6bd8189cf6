// Builds the tree of an expression by recursive descent, with precedence climbing for binary operators.
//
// Stops at the first error. Errors name the construct in which a token was not expected, as a yacc grammar with error
// rules would: the innermost one that has such a rule, else the aggregation around it, else none.
// Threads: one parse each.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/promql/syntax/ast.h"
#include "query/promql/syntax/lexer.h"
#include "query/promql/syntax/parse_error.h"

namespace varve::promql {

class ExpressionParser {
 public:
  explicit ExpressionParser(std::string_view text) : text_(text), lexer_(text) {}

  // Null where there was an error.
  ExprPtr ParseAll();
  std::unique_ptr<VectorSelector> ParseSelectorAll();
  bool ParseMetricAll(std::vector<std::pair<std::string, std::string>>* labels);
  const std::optional<ParseError>& error() const { return error_; }

 private:
  class Nesting;

  // expression_parser.cc
  ExprPtr ParseBinary(int precedence_min);
  ExprPtr ParseUnary();
  ExprPtr ParsePrimary();
  ExprPtr ParseParen();
  ExprPtr ParseNumber();
  ExprPtr ParseString();
  ExprPtr ParseAggregate(const Token& op);
  ExprPtr ParseCall(const Token& name);
  ExprPtr MakeLogql(const Token& name, std::vector<ExprPtr> args);
  bool ParseArguments(std::vector<ExprPtr>* args);
  bool ParseModifiers(Binary* binary);
  bool ParseFill(VectorMatching* matching);
  bool ParseFillValue(double* value);
  bool ParseGrouping(std::vector<std::string>* labels);
  bool ParseGroupingLabel(std::vector<std::string>* labels);

  // selector_parser.cc
  std::unique_ptr<VectorSelector> ParseVectorSelector(const Token* name);
  bool ParseMatchers(VectorSelector* selector);
  bool ParseMatcher(std::vector<Matcher>* matchers);
  bool ParseLabelSet(std::vector<std::pair<std::string, std::string>>* labels);
  bool ParseLabelSetItem(std::vector<std::pair<std::string, std::string>>* labels);
  ExprPtr ParsePostfix(ExprPtr expr);
  ExprPtr ParseBrackets(ExprPtr expr);
  ExprPtr MakeMatrix(ExprPtr expr, ExprPtr range, PositionRange brackets);
  bool ParseOffset(Expr* expr);
  bool ParseAt(Expr* expr);
  bool ParseExtension(Expr* expr, const Token& word);
  TimeShift* ShiftOf(Expr* expr, std::string_view modifier);

  // duration_parser.cc
  ExprPtr ParseDurationExpr(int precedence_min);
  ExprPtr ContinueDuration(ExprPtr lhs, int precedence_min);
  ExprPtr ParseDurationUnary();
  ExprPtr ParseDurationPrimary();
  ExprPtr ParseDurationCall();
  ExprPtr ParsePositiveDuration();
  ExprPtr ParseOffsetDuration();
  ExprPtr DurationNumber();
  ExprPtr NegatedDuration(const Token& sign, ExprPtr expr);
  static ExprPtr WrappedDuration(ExprPtr expr, PositionRange pos);

  const Token& Peek();
  Token Take();
  bool Is(TokenType type) { return Peek().type == type; }
  bool TakeIf(TokenType type);
  bool Unquoted(const Token& token, std::string* value);
  std::nullptr_t Fail(PositionRange pos, std::string message);
  // The next token is not what `context` (may be empty) takes.
  std::nullptr_t Unexpected(std::string_view context, std::string_view expected);
  std::nullptr_t Unexpected() { return Unexpected(aggregations_ > 0 ? "aggregation" : "", ""); }
  // Sets the depth of a node from its children's; false when that is too deep.
  bool SetDepth(Expr* expr, std::initializer_list<const Expr*> children);

  const std::string_view text_;
  Lexer lexer_;
  std::optional<Token> next_;
  std::optional<ParseError> error_;
  int32_t args_end_ = 0;  // behind the parenthesis closed last
  int aggregations_ = 0;  // that are open
  int depth_ = 0;         // of the recursion
};

}  // namespace varve::promql
