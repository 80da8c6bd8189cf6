#include "query/logql/stages/json_scan.h"

#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "query/logql/stages/label_key.h"

namespace varve::logql::json {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// The first quote or backslash in [p, end), or end.
inline const char* FindQuoteOrEscape(const char* p, const char* end) {
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i escape = _mm_set1_epi8('\\');
  for (; end - p >= 16; p += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const auto bits = static_cast<uint32_t>(
        _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, escape))));
    if (bits != 0) return p + std::countr_zero(bits);
  }
#endif
  while (p != end && *p != '"' && *p != '\\') ++p;
  return p;
}

// The first of three characters in [p, end), or end.
const char* FindAnyOf(const char* p, const char* end, char a, char b, char c) {
#if defined(__SSE2__)
  const __m128i va = _mm_set1_epi8(a);
  const __m128i vb = _mm_set1_epi8(b);
  const __m128i vc = _mm_set1_epi8(c);
  for (; end - p >= 16; p += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(bytes, va),
                                     _mm_or_si128(_mm_cmpeq_epi8(bytes, vb), _mm_cmpeq_epi8(bytes, vc)));
    const auto bits = static_cast<uint32_t>(_mm_movemask_epi8(hit));
    if (bits != 0) return p + std::countr_zero(bits);
  }
#endif
  while (p != end && *p != a && *p != b && *p != c) ++p;
  return p;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// \uXXXX at `p`; -1 when it is not one.
int32_t ReadUnicodeEscape(const char* p, const char* end) {
  if (end - p < 6 || p[0] != '\\' || p[1] != 'u') return -1;
  int32_t value = 0;
  for (int i = 2; i < 6; ++i) {
    const int digit = HexDigit(p[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

char SimpleEscape(char c) {
  switch (c) {
    case '"': return '"';
    case '\\': return '\\';
    case '/': return '/';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
  }
}

}  // namespace

const char* StringEnd(const char* p, const char* end, bool* escaped) {
  *escaped = false;
  while (true) {
    p = FindQuoteOrEscape(p, end);
    if (p == end) return nullptr;
    if (*p == '"') return p + 1;
    *escaped = true;
    if (end - p < 2) return nullptr;
    p += 2;
  }
}

const char* BlockEnd(const char* p, const char* end, char open, char close) {
  size_t level = 0;
  while (true) {
    p = FindAnyOf(p, end, open, close, '"');
    if (p == end) return nullptr;
    if (*p == '"') {
      bool escaped = false;
      p = StringEnd(p + 1, end, &escaped);
      if (p == nullptr) return nullptr;
      continue;
    }
    if (*p == open) {
      ++level;
    } else if (--level == 0) {
      return p + 1;
    }
    ++p;
  }
}

const char* ReadValue(const char* p, const char* end, Value* value, std::string_view* error) {
  const char* begin = p;
  value->escaped = false;
  switch (*p) {
    case '"':
      p = StringEnd(p + 1, end, &value->escaped);
      if (p == nullptr) {
        *error = kMalformedString;
        return nullptr;
      }
      value->type = ValueType::kString;
      value->text = {begin + 1, static_cast<size_t>(p - begin - 2)};
      return p;
    case '{':
    case '[':
      value->type = *p == '{' ? ValueType::kObject : ValueType::kArray;
      p = BlockEnd(p, end, *p, *p == '{' ? '}' : ']');
      if (p == nullptr) {
        *error = value->type == ValueType::kObject ? kMalformedObject : kMalformedArray;
        return nullptr;
      }
      value->text = {begin, static_cast<size_t>(p - begin)};
      return p;
    default: break;
  }
  while (p != end && !IsSpace(*p) && *p != ',' && *p != '}' && *p != ']') ++p;
  value->text = {begin, static_cast<size_t>(p - begin)};
  if ((*begin >= '0' && *begin <= '9') || *begin == '-') {
    value->type = ValueType::kNumber;
  } else if (p != begin && (value->text == "true" || value->text == "false")) {
    value->type = ValueType::kBool;
  } else if (value->text == "null") {
    value->type = ValueType::kNull;
  } else {
    *error = kUnknownValueType;
    return nullptr;
  }
  return p;
}

bool Unescape(std::string_view text, RowArena* arena, std::string_view* out) {
  if (text.empty()) {
    *out = text;
    return true;
  }
  const char* p = text.data();
  const char* end = p + text.size();
  const auto* backslash = static_cast<const char*>(std::memchr(p, '\\', text.size()));
  if (backslash == nullptr) {
    *out = text;
    return true;
  }
  char* const begin = arena->Allocate(text.size());  // decoding never grows
  char* to = begin;
  while (true) {
    const auto plain = static_cast<size_t>(backslash - p);
    std::memcpy(to, p, plain);
    to += plain;
    p = backslash;
    if (end - p < 2) return false;
    if (p[1] == 'u') {
      const int32_t first = ReadUnicodeEscape(p, end);
      if (first < 0) return false;
      p += 6;
      auto rune = static_cast<uint32_t>(first);
      if (rune >= 0xD800 && rune <= 0xDFFF) {
        const int32_t second = ReadUnicodeEscape(p, end);
        if (second < 0xDC00) return false;
        p += 6;
        rune = 0x10000 + ((rune - 0xD800) << 10) + (static_cast<uint32_t>(second) - 0xDC00);
      }
      to = AppendUtf8(to, rune);
    } else {
      const char decoded = SimpleEscape(p[1]);
      if (decoded == 0) return false;
      *to++ = decoded;
      p += 2;
    }
    backslash = static_cast<const char*>(std::memchr(p, '\\', static_cast<size_t>(end - p)));
    if (backslash == nullptr) break;
  }
  const auto rest = static_cast<size_t>(end - p);
  std::memcpy(to, p, rest);
  to += rest;
  const auto size = static_cast<size_t>(to - begin);
  arena->ShrinkLast(text.size() - size);
  *out = {begin, size};
  return true;
}

std::string_view LabelValue(const Value& value, RowArena* arena) {
  if (value.type == ValueType::kNull) return {};
  if (value.type != ValueType::kString) return ReplaceInvalidUtf8(value.text, arena);
  std::string_view decoded = value.text;
  if (value.escaped && !Unescape(value.text, arena, &decoded)) return {};
  return ReplaceInvalidUtf8(decoded, arena);
}

}  // namespace varve::logql::json
