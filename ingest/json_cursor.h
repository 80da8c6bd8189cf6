// A position in a JSON text whose shape is known: the reader behind JSON pushes.
//
// Strings are views into the text; only those with escapes are copied, into an arena. A lone surrogate
// becomes U+FFFD, as in Go. Bytes that are not UTF-8 are passed on (lines are repaired later).
// After an error every later call fails; error() has the first one with its offset.
// Threads: thread-compatible. Ownership: strings are valid as long as the text and the arena's request.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "ingest/byte_arena.h"

namespace varve {

class JsonCursor {
 public:
  JsonCursor(std::string_view text, ByteArena* arena) : text_(text), arena_(arena) {}

  // The next character that is not white space, not consumed; 0 at the end.
  char Peek();
  // Whether the next character was `c`; consumes it if so.
  bool Consume(char c);
  bool Expect(char c, const char* where);
  // Consumes `null` if it is next.
  bool ConsumeNull();
  // Reads a string; false (and an error) when there is none.
  bool String(std::string_view* value, const char* where);
  // Passes over any value; `raw` (may be null) gets its bytes. Nesting is bounded.
  bool Skip(std::string_view* raw);

  // Calls fn(key) with the cursor at each value of the object or array that is next; fn consumes the value
  // and returns false to stop with the error it has set.
  template <typename Fn>
  bool Object(const char* where, Fn&& fn) {
    if (!Expect('{', where)) return false;
    if (Consume('}')) return true;
    while (true) {
      std::string_view key;
      if (!String(&key, where) || !Expect(':', where) || !fn(key)) return false;
      if (Consume('}')) return true;
      if (!Expect(',', where)) return false;
    }
  }
  template <typename Fn>
  bool Array(const char* where, Fn&& fn) {
    if (!Expect('[', where)) return false;
    if (Consume(']')) return true;
    while (true) {
      if (!fn()) return false;
      if (Consume(']')) return true;
      if (!Expect(',', where)) return false;
    }
  }

  // Records an error at the current offset, if it is the first; returns false.
  bool Fail(std::string message);
  bool Fail(Status status);
  size_t offset() const { return pos_; }
  // Goes (back) to where offset() was. Not after an error.
  void Seek(size_t offset) { pos_ = offset; }
  // The bytes from `begin` up to here.
  std::string_view Since(size_t begin) const { return text_.substr(begin, pos_ - begin); }
  bool ok() const { return status_.ok(); }
  Status TakeStatus() { return std::move(status_); }

 private:
  static constexpr int kDepthMax = 1024;

  bool FailUnexpected(const char* where, const char* wanted);
  size_t FindStringSpecial(size_t i) const;
  bool EscapedString(size_t begin, std::string_view* value, const char* where);
  bool SkipScalar();

  std::string_view text_;
  ByteArena* const arena_;
  size_t pos_ = 0;
  Status status_;
};

}  // namespace varve
