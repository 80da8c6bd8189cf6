// LogQL text to tokens, one at a time.
//
// Words, numbers, strings and comments are those of Go source (`"…"` with escapes, raw `…`, /* */ and //)
// plus `#` comments; on top come durations (5m), byte sizes (5KB), bracketed ranges ([5m]) and flags
// (--strict). Identifiers may hold characters outside ASCII.
// A lexer is a small value: copy it to look ahead. The text must outlive it.
// Errors: kInvalidArgument with position ("parse error at line 1, col 14: literal not terminated").
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "query/logql/token.h"

namespace varve::logql {

// "parse error at line 1, col 6: message"; "parse error : message" for line 0.
Status ParseErrorAt(uint32_t line, uint32_t column, std::string_view message);

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  // After the end every call gives kEnd again.
  Status Next(Token* token);

 private:
  char Peek(size_t ahead = 0) const { return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0'; }
  bool AtEnd() const { return pos_ >= text_.size(); }
  // Moves over one character, counting lines and columns.
  void Advance();
  void AdvanceTo(size_t pos);

  Status Fail(std::string_view message) const { return ParseErrorAt(token_line_, token_column_, message); }
  Status CheckCharacter() const;
  Status SkipBlanks();
  bool IsFunctionNext() const;

  void LexWord(Token* token);
  Status LexNumber(Token* token);
  Status LexQuoted(Token* token);
  Status LexEscape(std::string* out, size_t* i) const;
  Status LexRaw(Token* token);
  Status LexCharacter(Token* token);
  Status LexRange(Token* token);
  bool TakeFlag(Token* token);
  bool TakeDuration(std::string_view number, Token* token);
  bool TakeBytes(std::string_view number, Token* token);

  std::string_view text_;
  size_t pos_ = 0;
  uint32_t line_ = 1;
  uint32_t column_ = 1;
  uint32_t token_line_ = 0;  // where the token being read starts
  uint32_t token_column_ = 0;
};

}  // namespace varve::logql
