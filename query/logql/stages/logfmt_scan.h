// Reads `key=value key="quoted value" bare` pair by pair.
//
// After a malformed pair reading resumes behind the next white space; a strict caller stops there.
// Threads: thread-compatible. Ownership: views into the line or the arena given.
#pragma once

#include <string>
#include <string_view>

#include "query/logql/row_arena.h"

namespace varve::logql {

class LogfmtScanner {
 public:
  LogfmtScanner(std::string_view line, RowArena* arena) : line_(line), arena_(arena) {}

  bool at_end() const { return position_ >= line_.size(); }
  // False: at the end (at_end) or a malformed pair (error). A bare key, and `key=`, have an empty value.
  bool Next();

  std::string_view key() const { return key_; }
  // The value with escapes decoded.
  std::string_view value() const { return value_; }

  bool has_error() const { return error_ != nullptr; }
  // "logfmt syntax error at pos 5 : unexpected '='".
  std::string ErrorText() const;

 private:
  bool ReadValue();
  bool ReadQuotedValue();
  bool Unexpected(char c);
  bool Fail(const char* error, size_t position);

  std::string_view line_;
  RowArena* arena_;
  size_t position_ = 0;
  std::string_view key_;
  std::string_view value_;
  const char* error_ = nullptr;  // the first one
  size_t error_position_ = 0;
};

// Decodes a quoted string, quotes included, as Go's encoding/json does (which logfmt borrows), but with control
// characters as they are. False when an escape is not valid.
bool UnquoteLogfmt(std::string_view quoted, RowArena* arena, std::string_view* out);

}  // namespace varve::logql
