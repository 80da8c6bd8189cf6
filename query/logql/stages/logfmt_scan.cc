#include "query/logql/stages/logfmt_scan.h"

#include <array>
#include <cstring>

#include "query/logql/stages/json_scan.h"
#include "query/logql/stages/label_key.h"

namespace varve::logql {
namespace {

enum ByteClass : uint8_t { kOther = 0, kSpace = 1, kEquals = 2, kQuote = 3, kHigh = 4 };

constexpr std::array<uint8_t, 256> MakeClasses() {
  std::array<uint8_t, 256> table{};
  for (size_t c = 0; c <= ' '; ++c) table[c] = kSpace;
  for (size_t c = 0x80; c < 256; ++c) table[c] = kHigh;
  table['='] = kEquals;
  table['"'] = kQuote;
  return table;
}
constexpr std::array<uint8_t, 256> kClasses = MakeClasses();

ByteClass ClassOf(char c) { return static_cast<ByteClass>(kClasses[static_cast<uint8_t>(c)]); }

constexpr char kUnexpectedEquals[] = "unexpected '='";
constexpr char kUnexpectedQuote[] = "unexpected '\"'";
constexpr char kInvalidKey[] = "invalid key";
constexpr char kUnterminated[] = "unterminated quoted value";
constexpr char kInvalidQuoted[] = "invalid quoted value";

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// \uXXXX at the start of `text`, or -1.
int32_t ReadUnicodeEscape(std::string_view text) {
  if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return -1;
  int32_t value = 0;
  for (size_t i = 2; i < 6; ++i) {
    const int digit = HexDigit(text[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

// How many bytes of `text` stand for themselves: printable ASCII without quotes and backslashes.
size_t PlainLength(std::string_view text) {
  size_t size = 0;
  while (size < text.size() && static_cast<uint8_t>(text[size] - ' ') < 0x80 - ' ' && text[size] != '"' &&
         text[size] != '\\') {
    ++size;
  }
  return size;
}

bool ContainsInvalidUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const size_t length = Utf8SequenceLength(text.substr(i));
    if (length == 0 || text.substr(i, length) == "\xEF\xBF\xBD") return true;
    i += length;
  }
  return false;
}

}  // namespace

bool LogfmtScanner::Next() {
  key_ = {};
  value_ = {};
  size_t p = position_;
  while (p < line_.size() && ClassOf(line_[p]) == kSpace) ++p;
  if (p == line_.size()) {
    position_ = p;
    return false;
  }
  const size_t start = p;
  bool high = false;
  ByteClass stop = kSpace;
  for (; p < line_.size(); ++p) {
    const ByteClass kind = ClassOf(line_[p]);
    if (kind == kOther) continue;
    if (kind == kHigh) {
      high = true;
      continue;
    }
    stop = kind;
    break;
  }
  position_ = p;
  if (p < line_.size() && stop == kQuote) return Unexpected('"');
  if (p == start) return Unexpected('=');
  key_ = line_.substr(start, p - start);
  if (high && ContainsInvalidUtf8(key_)) return Fail(kInvalidKey, position_);
  if (p == line_.size() || stop == kSpace) return true;
  ++position_;
  return ReadValue();
}

// `position_` is behind the equals sign.
bool LogfmtScanner::ReadValue() {
  if (position_ >= line_.size()) return true;
  const ByteClass first = ClassOf(line_[position_]);
  if (first == kSpace) return true;
  if (first == kQuote) return ReadQuotedValue();
  const size_t start = position_;
  size_t p = start;
  for (; p < line_.size(); ++p) {
    const ByteClass kind = ClassOf(line_[p]);
    if (kind == kOther || kind == kHigh) continue;
    if (kind == kSpace) break;
    position_ = p;
    return Unexpected(line_[p]);
  }
  position_ = p;
  value_ = line_.substr(start, p - start);
  return true;
}

bool LogfmtScanner::ReadQuotedValue() {
  const size_t start = position_;
  bool escaped = false;
  const char* end = json::StringEnd(line_.data() + start + 1, line_.data() + line_.size(), &escaped);
  if (end == nullptr) return Fail(kUnterminated, line_.size());
  position_ = static_cast<size_t>(end - line_.data());
  if (!escaped) {
    value_ = line_.substr(start + 1, position_ - start - 2);
    return true;
  }
  if (UnquoteLogfmt(line_.substr(start, position_ - start), arena_, &value_)) return true;
  if (error_ == nullptr) {
    error_ = kInvalidQuoted;
    error_position_ = position_ + 1;
  }
  value_ = {};
  return false;
}

bool LogfmtScanner::Unexpected(char c) {
  return Fail(c == '=' ? kUnexpectedEquals : kUnexpectedQuote, position_);
}

bool LogfmtScanner::Fail(const char* error, size_t position) {
  if (error_ == nullptr) {
    error_ = error;
    error_position_ = position + 1;
  }
  // Resume behind the next white space.
  position_ = position;
  while (position_ < line_.size() && ClassOf(line_[position_]) != kSpace) ++position_;
  value_ = {};
  return false;
}

std::string LogfmtScanner::ErrorText() const {
  std::string text = "logfmt syntax error at pos ";
  text += std::to_string(error_position_);
  text += " : ";
  text += error_;
  return text;
}

bool UnquoteLogfmt(std::string_view quoted, RowArena* arena, std::string_view* out) {
  if (quoted.size() < 2) return false;
  const std::string_view text = quoted.substr(1, quoted.size() - 2);
  // An invalid byte becomes three, and \uXXXX at most three.
  char* const begin = arena->Allocate(text.size() * 3);
  char* to = begin;
  for (size_t i = 0; i < text.size();) {
    const size_t plain = PlainLength(text.substr(i));
    if (plain != 0) {
      std::memcpy(to, text.data() + i, plain);
      to += plain;
      i += plain;
      continue;
    }
    const char c = text[i];
    if (c != '\\') {
      if (c == '"') return false;
      const size_t length = Utf8SequenceLength(text.substr(i));
      if (length == 0) {
        to = AppendUtf8(to, 0xFFFD);
        ++i;
      } else {
        std::memcpy(to, text.data() + i, length);
        to += length;
        i += length;
      }
      continue;
    }
    if (i + 1 >= text.size()) return false;
    const char kind = text[i + 1];
    if (kind == 'u') {
      const int32_t first = ReadUnicodeEscape(text.substr(i));
      if (first < 0) return false;
      i += 6;
      auto rune = static_cast<uint32_t>(first);
      if (rune >= 0xD800 && rune < 0xDC00) {
        const int32_t second = ReadUnicodeEscape(text.substr(i));
        if (second >= 0xDC00 && second <= 0xDFFF) {
          i += 6;
          rune = 0x10000 + ((rune - 0xD800) << 10) + (static_cast<uint32_t>(second) - 0xDC00);
        }
      }
      to = AppendUtf8(to, rune);
      continue;
    }
    static constexpr std::string_view kEscapes = "\"\\/'bfnrt";
    static constexpr std::string_view kDecoded = "\"\\/'\b\f\n\r\t";
    const size_t which = kEscapes.find(kind);
    if (which == std::string_view::npos) return false;
    *to++ = kDecoded[which];
    i += 2;
  }
  const auto size = static_cast<size_t>(to - begin);
  arena->ShrinkLast(text.size() * 3 - size);
  *out = {begin, size};
  return true;
}

}  // namespace varve::logql
