#include "query/templates/template_text.h"

#include "query/logql/values/utf8.h"

namespace varve::templates {
namespace {

constexpr char kHex[] = "0123456789abcdef";

int DigitValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'z' ? lower - 'a' + 10 : 99;
}

// Digits of `base` at text[*i]; exactly `count` of them.
bool ReadDigits(std::string_view text, size_t count, uint32_t base, size_t* i, uint32_t* value) {
  *value = 0;
  for (size_t k = 0; k < count; ++k, ++*i) {
    const int digit = *i < text.size() ? DigitValue(text[*i]) : 99;
    if (digit >= static_cast<int>(base)) return false;
    *value = *value * base + static_cast<uint32_t>(digit);
  }
  return true;
}

// The escape behind the backslash at text[*i - 1].
bool UnquoteEscape(std::string_view text, char quote, size_t* i, std::string* out) {
  static constexpr std::string_view kEscapes = "\\abfnrtv";
  static constexpr std::string_view kDecoded = "\\\a\b\f\n\r\t\v";
  if (*i >= text.size()) return false;
  const char c = text[*i];
  if (c == quote) {
    out->push_back(c);
    ++*i;
    return true;
  }
  if (const size_t which = kEscapes.find(c); which != std::string_view::npos) {
    out->push_back(kDecoded[which]);
    ++*i;
    return true;
  }
  uint32_t value = 0;
  if (c >= '0' && c <= '7') {
    if (!ReadDigits(text, 3, 8, i, &value) || value > 255) return false;
    out->push_back(static_cast<char>(value));
    return true;
  }
  if (c != 'x' && c != 'u' && c != 'U') return false;
  ++*i;
  if (!ReadDigits(text, c == 'x' ? 2 : c == 'u' ? 4 : 8, 16, i, &value)) return false;
  if (c == 'x') {
    out->push_back(static_cast<char>(value));
    return true;
  }
  if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return false;
  AppendRune(value, out);
  return true;
}

void AppendHexEscape(char kind, uint32_t value, int digits, std::string* out) {
  out->push_back('\\');
  out->push_back(kind);
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) out->push_back(kHex[value >> shift & 15]);
}

// Underscores of a constant stand between digits, and only where a prefix tells the base or it is decimal.
bool UnderscoresOk(std::string_view digits, bool prefixed) {
  bool digit_before = prefixed;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (digits[i] == '_' && (!digit_before || i + 1 == digits.size())) return false;
    digit_before = digits[i] != '_';
  }
  return true;
}

}  // namespace

std::pair<uint32_t, size_t> FirstRune(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i])); };
  if (byte(0) < 0x80) return {byte(0), 1};
  switch (logql::Utf8SequenceLength(text)) {
    case 2: return {(byte(0) & 0x1F) << 6 | (byte(1) & 0x3F), 2};
    case 3: return {(byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
    case 4:
      return {(byte(0) & 7) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F), 4};
    default: return {0xFFFD, 1};
  }
}

std::pair<uint32_t, size_t> LastRune(std::string_view text) {
  for (size_t length = 1; length <= 4 && length <= text.size(); ++length) {
    const std::string_view tail = text.substr(text.size() - length);
    if (logql::Utf8SequenceLength(tail) == length) return FirstRune(tail);
  }
  return {0xFFFD, 1};
}

size_t CountRunes(std::string_view text) {
  size_t runes = 0;
  for (; !text.empty(); ++runes) text.remove_prefix(FirstRune(text).second);
  return runes;
}

void AppendRune(uint32_t rune, std::string* out) {
  char bytes[4];
  out->append(bytes, static_cast<size_t>(logql::AppendUtf8(bytes, rune) - bytes));
}

bool IsSpaceRune(uint32_t rune) {
  return rune == ' ' || (rune >= '\t' && rune <= '\r') || rune == 0x85 || rune == 0xA0 || rune == 0x1680 ||
         (rune >= 0x2000 && rune <= 0x200A) || rune == 0x2028 || rune == 0x2029 || rune == 0x202F ||
         rune == 0x205F || rune == 0x3000;
}

bool IsPrintRune(uint32_t rune) {
  if (rune < 0x80) return rune >= ' ' && rune < 0x7F;
  if (rune <= 0xA0 || rune == 0xAD || (IsSpaceRune(rune) && rune != ' ')) return false;
  if ((rune >= 0x200B && rune <= 0x200F) || (rune >= 0x202A && rune <= 0x202E)) return false;
  if (rune >= 0x2060 && rune <= 0x206F) return false;
  if ((rune >= 0xD800 && rune <= 0xF8FF) || rune == 0xFEFF || (rune >= 0xFFF0 && rune <= 0xFFFB))
    return false;
  return (rune & 0xFFFE) != 0xFFFE && rune < 0xE0000;
}

bool UnquoteGo(std::string_view quoted, std::string* out) {
  if (quoted.size() < 2 || quoted.front() != quoted.back()) return false;
  const char quote = quoted.front();
  const std::string_view text = quoted.substr(1, quoted.size() - 2);
  out->clear();
  if (quote == '`') {
    for (const char c : text) {
      if (c != '\r') out->push_back(c);
    }
    return true;
  }
  size_t runes = 0;
  for (size_t i = 0; i < text.size(); ++runes) {
    if (text[i] == quote || text[i] == '\n') return false;
    if (text[i] == '\\') {
      ++i;
      if (!UnquoteEscape(text, quote, &i, out)) return false;
    } else {
      const size_t size = FirstRune(text.substr(i)).second;
      out->append(text.substr(i, size));
      i += size;
    }
  }
  return quote != '\'' || runes == 1;
}

void AppendQuotedGo(std::string_view text, bool ascii, char quote, std::string* out) {
  static constexpr std::string_view kEscaped = "\a\b\f\n\r\t\v\\";
  static constexpr std::string_view kLetters = "abfnrtv\\";
  out->push_back(quote);
  while (!text.empty()) {
    const auto [rune, size] = FirstRune(text);
    const char c = text[0];
    if (rune == 0xFFFD && size == 1) {
      AppendHexEscape('x', static_cast<uint8_t>(c), 2, out);
    } else if (c == quote) {
      out->push_back('\\');
      out->push_back(c);
    } else if (const size_t which = size == 1 ? kEscaped.find(c) : std::string_view::npos;
               which != std::string_view::npos) {
      out->push_back('\\');
      out->push_back(kLetters[which]);
    } else if (IsPrintRune(rune) && (!ascii || rune < 0x80)) {
      out->append(text.substr(0, size));
    } else if (rune < ' ' || rune == 0x7F) {
      AppendHexEscape('x', rune, 2, out);
    } else {
      AppendHexEscape(rune > 0xFFFF ? 'U' : 'u', rune, rune > 0xFFFF ? 8 : 4, out);
    }
    text.remove_prefix(size);
  }
  out->push_back(quote);
}

GoInteger ParseGoInteger(std::string_view text, int64_t* value) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  uint64_t base = 10;
  bool prefixed = false;
  if (text.size() > 1 && text[0] == '0') {
    const char kind = static_cast<char>(text[1] | 0x20);
    base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
    text.remove_prefix(kind == 'x' || kind == 'b' || kind == 'o' ? 2 : 1);
    prefixed = true;
  }
  if (text.empty() || !UnderscoresOk(text, prefixed)) return GoInteger::kInvalid;
  uint64_t magnitude = 0;
  bool overflow = false;
  for (const char c : text) {
    if (c == '_') continue;
    const int digit = DigitValue(c);
    if (digit >= static_cast<int>(base)) return GoInteger::kInvalid;
    overflow = overflow || magnitude > (1ULL << 63) / base;
    magnitude = magnitude * base + static_cast<uint64_t>(digit);
  }
  if (overflow || magnitude > (1ULL << 63) - (negative ? 0 : 1)) return GoInteger::kOutOfRange;
  *value = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
  return GoInteger::kOk;
}

}  // namespace varve::templates
