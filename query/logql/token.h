// The words of LogQL as the lexer hands them to the parser.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "query/logql/ast.h"

namespace varve::logql {

enum class TokenKind : uint8_t {
  kEnd,
  kIdentifier,
  kString,
  kNumber,
  kDuration,
  kBytes,
  kRange,
  kFunctionFlag,
  // Function names: only where a `(`, or `by (` or `without (`, follows; elsewhere they are identifiers.
  kRangeFunction,
  kVectorFunction,
  kUnwrapConversion,
  kVector,
  kLabelReplace,
  kVariants,
  kIp,
  // Keywords, everywhere.
  kBy,
  kWithout,
  kOn,
  kIgnoring,
  kGroupLeft,
  kGroupRight,
  kBool,
  kOffset,
  kAnd,
  kOr,
  kUnless,
  kJson,
  kLogfmt,
  kPattern,
  kRegexp,
  kUnpack,
  kUnwrap,
  kLineFormat,
  kLabelFormat,
  kDecolorize,
  kDrop,
  kKeep,
  // Punctuation.
  kLeftBrace,
  kRightBrace,
  kLeftParen,
  kRightParen,
  kLeftBracket,
  kRightBracket,
  kComma,
  kDot,
  kPipe,
  kPipeExact,
  kPipeMatch,
  kPipePattern,
  kNotPattern,  // |= |~ |> !>
  kEqual,
  kNotEqual,
  kRegexMatch,
  kRegexNotMatch,  // = != =~ !~
  kEqualEqual,
  kGreater,
  kGreaterEqual,
  kLess,
  kLessEqual,
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kPow,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;         // identifier, number or flag as written; string decoded; function in lower case
  int64_t duration_ns = 0;  // kDuration, kRange
  uint64_t bytes = 0;       // kBytes
  RangeOp range_op = RangeOp::kCountOverTime;             // kRangeFunction
  VectorOp vector_op = VectorOp::kSum;                    // kVectorFunction
  UnwrapConversion conversion = UnwrapConversion::kNone;  // kUnwrapConversion
  uint32_t line = 0;                                      // from 1; 0 only for the end of an empty text
  uint32_t column = 0;                                    // from 1, in characters
};

// "IDENTIFIER", "$end", "RATE", "by", "|=": how Loki's errors call it.
std::string TokenName(const Token& token);

// The token of a keyword, in any case.
std::optional<TokenKind> FindKeyword(std::string_view word);
// Sets kind, text and operator if `word`, in any case, names a function.
bool FindFunction(std::string_view word, Token* token);
// The token of one or two characters of punctuation.
std::optional<TokenKind> FindPunctuation(std::string_view text);

bool EqualsIgnoringCase(std::string_view text, std::string_view lower);

}  // namespace varve::logql
