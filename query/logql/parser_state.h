// The recursive-descent parser behind parser.h. Private to query/logql.
//
// One function a rule of the grammar in docs/logql.md; each is called with its first token in `token_` and
// leaves the first token after it there. Expression rules are in parser.cc, selectors and stages in
// pipeline_parser.cc.
//
// Errors of the grammar end the parse at once. Errors of meaning (validation.h) wait until all of the text
// has turned out to be grammatical; then the one that starts first is reported, the outermost of equals.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/logql/ast.h"
#include "query/logql/lexer.h"
#include "query/logql/parser.h"
#include "query/logql/token.h"
#include "query/logql/validation.h"

namespace varve::logql {

// A part of the tree and how many levels are below it.
struct ParsedExpr {
  ExprPtr expr;
  uint32_t height = 0;
};
struct ParsedFilter {
  LabelFilterPtr filter;
  uint32_t height = 0;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  Result<ExprPtr> ParseQuery();

 private:
  // ---- Expressions (parser.cc) ----
  Status ParseBinary(int min_precedence, ParsedExpr* out);
  Status ParseOperand(ParsedExpr* out);
  Status ParseParenthesised(ParsedExpr* out);
  Status ParseMetric(ParsedExpr* out);  // as ParseBinary, but not a log query
  Status ParseLogQuery(ParsedExpr* out);
  Status ParseLiteral(ParsedExpr* out);
  Status ParseVectorFunction(ParsedExpr* out);
  Status ParseLabelReplace(ParsedExpr* out);
  Status ParseRangeAggregation(ParsedExpr* out);
  Status ParseVectorAggregation(ParsedExpr* out);
  Status ParseOperatorModifiers(BinaryOperation* out);
  Status CombineOperands(BinaryOperation operation, ParsedExpr left, ParsedExpr right, ParsedExpr* out);
  Status ParseLogRange(bool range_optional, LogRange* out, bool* has_range);
  Status ParseRangeAndOffset(LogRange* out);
  Status ParseGrouping(std::optional<Grouping>* out);
  Status ParseNameList(std::vector<std::string>* out);

  // ---- Selectors and stages (pipeline_parser.cc) ----
  Status ParseSelector(std::vector<Matcher>* out);
  // `unwrap` null: not allowed here. Stops after an unwrap.
  Status ParsePipeline(std::vector<Stage>* stages, std::optional<Unwrap>* unwrap);
  Status ParseStage(std::vector<Stage>* stages);
  Status ParseLineFilter(LineFilterOp op, std::vector<Stage>* stages);
  Status ParseLineFilterTerm(LineFilter* out);
  Status ParseUnwrap(std::optional<Unwrap>* out);
  Status ParseRegexpPattern(std::string* out);
  Status ParseLogfmt(LogfmtParser* out);
  Status ParseExtractions(std::vector<Extraction>* out);
  Status ParseLabelFormat(LabelFormat* out);
  Status ParseLabelSelections(std::vector<LabelSelection>* out);
  Status ParseIpArgument(std::string* out);
  Status ParseLabelFilter(int min_precedence, ParsedFilter* out);
  Status ParseLabelFilterOperand(ParsedFilter* out);
  Status ParseLabelFilterPrimary(ParsedFilter* out);
  Status ParseComparison(std::string name, ParsedFilter* out);
  Status ParseComparisonValue(std::string name, CompareOp op, ParsedFilter* out);
  Status CombineFilters(bool is_or, ParsedFilter left, ParsedFilter right, ParsedFilter* out);
  Status ParseMatcherTail(std::string name, bool dot_matches_newline, std::optional<Matcher>* out);

  // ---- Tokens ----
  // A place in the text.
  struct Position {
    uint32_t line = 0;
    uint32_t column = 0;
  };
  Position Here() const { return {token_.line, token_.column}; }
  // Keeps an error of what starts at `start` for the end of the parse.
  void Defer(Position start, Status status);

  bool At(TokenKind kind) const { return token_.kind == kind; }
  Status Advance() { return lexer_.Next(&token_); }
  // Takes a token of this kind. `expected` is the list Loki would print, "" where it prints none.
  Status Expect(TokenKind kind, std::string_view expected);
  Status ExpectText(TokenKind kind, std::string_view expected, std::string* out);
  Status Unexpected(std::string_view expected = "") const;
  Status TooDeep() const;

  // Counts one level of recursion while it lives.
  class Level {
   public:
    explicit Level(Parser* parser) : parser_(parser) { ++parser_->depth_; }
    ~Level() { --parser_->depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    bool too_deep() const { return parser_->depth_ > kNestingMax; }

   private:
    Parser* parser_;
  };

  Lexer lexer_;
  Token token_;
  uint32_t depth_ = 0;
  RegexBudget regex_budget_;
  Status deferred_;
  Position deferred_start_;
};

}  // namespace varve::logql
