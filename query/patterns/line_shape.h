// The shape of a log line: its text with everything that looks like a value taken out.
//
//   Dec 10 06:55:46 LabSZ sshd[24200]: Failed password for root from 10.0.0.1 port 3901 ssh2
//   ·   ·  ·        LabSZ sshd[·    ]: Failed password for root from ·        port ·    ·
//
// How a line is split is decided by the line alone, never by its stream, so that streams with mixed formats
// do no harm:
//   JSON    an object with a message (log, message, msg, …) is split within its message and is a variable on
//           both sides; without one, every scalar and every array is one token;
//   logfmt  key=value pairs; a value is one token, messages are split further;
//   else    words between spaces, brackets, quotes and = , ; |.
// A token is variable when it holds a digit, names a month or a day in front, is an URL or "-", is too long
// or not UTF-8. Integers 100…599 are kept apart, as codes: they may be statuses. What variable tokens have in
// common is found later (shape_table.h).
// Bounds: kShapedBytesMax of the line's first row and kTokensMax tokens; the rest is one variable.
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace varve {

inline constexpr size_t kShapedBytesMax = 3000;
inline constexpr size_t kTokensMax = 128;
inline constexpr size_t kWordBytesMax = 64;
// Stands for a variable in a shape; such bytes of lines are themselves parts of variables.
inline constexpr char kVariableMark = '\x01';

enum class TokenKind : uint8_t {
  kWord,
  kCode,  // an integer from 100 to 599
  kVariable,
  // A variable that is never taken for a constant: times, fields beside a message, the rest of a line.
  kTime,
};

// [begin, end) of the text; not empty. What lies between tokens is literal.
struct ShapeToken {
  uint32_t begin = 0;
  uint32_t end = 0;
  TokenKind kind = TokenKind::kWord;

  bool is_variable() const { return kind == TokenKind::kVariable || kind == TokenKind::kTime; }
  std::string_view In(std::string_view text) const { return text.substr(begin, end - begin); }
};

// Replaces `tokens` by those of `line`, ascending.
void SplitLine(std::string_view line, std::vector<ShapeToken>* tokens);

// Replaces `shape` by the line with each variable token as one kVariableMark.
void ShapeOf(std::string_view line, const std::vector<ShapeToken>& tokens, std::string* shape);

}  // namespace varve
