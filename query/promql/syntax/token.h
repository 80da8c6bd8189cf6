// Tokens of PromQL text.
//
// Threads: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "query/promql/syntax/ast.h"

namespace varve::promql {

enum class TokenType : uint8_t {
  kEnd,
  kError,  // text says what is wrong
  kIdentifier,
  kMetricIdentifier,  // with a colon in it
  kString,            // with its quotes
  kNumber,
  kDuration,
  // Punctuation.
  kLeftParen,
  kRightParen,
  kLeftBrace,
  kRightBrace,
  kLeftBracket,
  kRightBracket,
  kComma,
  kColon,
  kAssign,  // =
  // Operators.
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kPow,
  kAtan2,
  kEq,
  kNe,
  kLt,
  kGt,
  kLe,
  kGe,
  kTrimUpper,
  kTrimLower,
  kAnd,
  kOr,
  kUnless,
  kRegexMatch,     // =~
  kRegexNotMatch,  // !~
  kAt,
  // Aggregators, in the order of AggregateOp.
  kSum,
  kAvg,
  kMin,
  kMax,
  kCount,
  kGroup,
  kStddev,
  kStdvar,
  kQuantile,
  kTopk,
  kBottomk,
  kCountValues,
  kLimitk,
  kLimitRatio,
  // Keywords.
  kOffset,
  kSmoothed,
  kAnchored,
  kBy,
  kWithout,
  kOn,
  kIgnoring,
  kGroupLeft,
  kGroupRight,
  kFill,
  kFillLeft,
  kFillRight,
  kBool,
  // Words that mean something in durations and after @; functions, too.
  kStart,
  kEndWord,
  kStep,
  kRange,
  kMaxOf,
  kMinOf,
};

inline bool IsOperator(TokenType type) { return type >= TokenType::kAdd && type <= TokenType::kAt; }
inline bool IsAggregator(TokenType type) { return type >= TokenType::kSum && type <= TokenType::kLimitRatio; }
inline bool IsKeyword(TokenType type) { return type >= TokenType::kOffset && type <= TokenType::kBool; }
inline bool IsTimeWord(TokenType type) { return type >= TokenType::kStart && type <= TokenType::kMinOf; }
// Whether a metric may have this word as its bare name.
bool CanBeMetricName(TokenType type);
// Whether a label in `by (…)` and the like may.
bool CanBeLabelName(TokenType type);

struct Token {
  TokenType type = TokenType::kEnd;
  int32_t begin = 0;  // byte offset
  std::string_view text;
  std::string error;  // of kError

  PositionRange pos() const { return {begin, begin + static_cast<int32_t>(text.size())}; }
  // As in errors: `identifier "foo"`, `<op:+>`, `end of input`.
  std::string Description() const;
};

// The type of a keyword in any case; kIdentifier for other words. `inf` and `nan` are numbers.
TokenType WordType(std::string_view word);

}  // namespace varve::promql
