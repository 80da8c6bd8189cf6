// Cuts PromQL text into tokens, one at a time.
//
// What a character means depends on where it stands: inside {} words are names only, inside [] only durations and
// what computes them are allowed.
// After an error: the same again. Threads: thread-compatible; `text` outlives the lexer and its tokens.
#pragma once

#include <string_view>

#include "query/promql/syntax/token.h"

namespace varve::promql {

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  Token Next();

 private:
  enum class Mode { kStatement, kDurationExpr };

  Token Statement();
  Token InsideBraces();
  Token DurationExpr();
  Token Operator(int32_t c);
  Token NumberOrDuration();
  Token Word();
  Token InsideBracketsWord(int32_t c);
  Token CloseParen();
  Token String(int32_t quote);
  Token RawString();
  bool Escape(int32_t quote, Token* error);
  bool ScanNumber();
  bool ScanDurationRest();
  bool ScanDurationWord(TokenType* type);
  bool FollowedByParen() const;

  int32_t Take();  // the next character, -1 at the end
  int32_t Peek() const;
  void Back() { at_ -= width_; }
  bool Accept(std::string_view any);
  void SkipSpace();
  Token Emit(TokenType type);
  Token Error(std::string message);

  const std::string_view text_;
  size_t begin_ = 0;  // of the token being read
  size_t at_ = 0;
  size_t width_ = 0;  // of the character taken last
  Mode mode_ = Mode::kStatement;
  bool failed_ = false;
  Token failure_;
  int paren_depth_ = 0;
  bool brace_open_ = false;
  bool bracket_open_ = false;
  bool got_colon_ = false;
  bool got_duration_ = false;  // since the beginning, not only in this bracket
};

}  // namespace varve::promql
