#include "ingest/json_cursor.h"

#include <array>
#include <cstdio>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "ingest/json_text.h"
#include "ingest/utf8_repair.h"

namespace varve {
bool JsonCursor::Fail(std::string message) {
  message += ", error found in #" + std::to_string(pos_) + " byte";
  return Fail(InvalidArgument(std::move(message)));
}

bool JsonCursor::Fail(Status status) {
  if (status_.ok()) status_ = std::move(status);
  pos_ = text_.size();
  return false;
}

bool JsonCursor::FailUnexpected(const char* where, const char* wanted) {
  if (pos_ >= text_.size()) return Fail(std::string(where) + ": unexpected end of input");
  char found[8];
  const auto byte = static_cast<uint8_t>(text_[pos_]);
  std::snprintf(found, sizeof(found), byte > ' ' && byte < 0x7F ? "%c" : "\\x%02x", byte);
  return Fail(std::string(where) + ": expect " + wanted + ", but found " + found);
}

char JsonCursor::Peek() {
  while (pos_ < text_.size() && IsJsonSpace(text_[pos_])) ++pos_;
  return pos_ < text_.size() ? text_[pos_] : '\0';
}

bool JsonCursor::Consume(char c) {
  if (Peek() != c || pos_ == text_.size()) return false;
  ++pos_;
  return true;
}

bool JsonCursor::Expect(char c, const char* where) {
  if (Consume(c)) return true;
  const char wanted[] = {c, '\0'};
  return FailUnexpected(where, wanted);
}

bool JsonCursor::ConsumeNull() {
  if (Peek() != 'n' || text_.substr(pos_, 4) != "null") return false;
  pos_ += 4;
  return true;
}

// The first quote, backslash or control character from `i` on; the end if there is none.
size_t JsonCursor::FindStringSpecial(size_t i) const {
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1F);
  for (; i + 16 <= text_.size(); i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text_.data() + i));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i special =
        _mm_or_si128(control, _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
    const int mask = _mm_movemask_epi8(special);
    if (mask != 0) return i + static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  while (i < text_.size() && text_[i] != '"' && text_[i] != '\\' && static_cast<uint8_t>(text_[i]) >= 0x20)
    ++i;
  return i;
}

bool JsonCursor::String(std::string_view* value, const char* where) {
  if (!Consume('"')) return FailUnexpected(where, "\"");
  const size_t begin = pos_;
  pos_ = FindStringSpecial(begin);
  if (pos_ < text_.size() && text_[pos_] == '"') [[likely]] {
    *value = text_.substr(begin, pos_ - begin);
    ++pos_;
    return true;
  }
  return EscapedString(begin, value, where);
}

// Finds the closing quote, then decodes: what is decoded is never longer than what is written.
bool JsonCursor::EscapedString(size_t begin, std::string_view* value, const char* where) {
  while (pos_ < text_.size() && text_[pos_] != '"') {
    if (text_[pos_] != '\\') {
      return Fail(std::string(where) + ": invalid control character found: " + std::to_string(text_[pos_]));
    }
    pos_ = FindStringSpecial(pos_ + 2 < text_.size() ? pos_ + 2 : text_.size());
  }
  if (pos_ >= text_.size()) return Fail(std::string(where) + ": unexpected end of input");
  const std::string_view raw = text_.substr(begin, pos_ - begin);
  ++pos_;
  char* const out = arena_->Allocate(raw.size());
  if (out == nullptr) return Fail(arena_->TakeStatus());
  size_t size = 0;
  for (size_t i = 0; i < raw.size();) {
    const void* next = std::memchr(raw.data() + i, '\\', raw.size() - i);
    const size_t plain =
        (next == nullptr ? raw.size() : static_cast<size_t>(static_cast<const char*>(next) - raw.data())) - i;
    std::memcpy(out + size, raw.data() + i, plain);
    size += plain;
    i += plain;
    if (i == raw.size()) break;
    static constexpr std::string_view kLetters = "\"\\/bfnrt";
    static constexpr std::string_view kMeaning = "\"\\/\b\f\n\r\t";
    const char letter = i + 1 < raw.size() ? raw[i + 1] : '\0';
    if (const size_t at = kLetters.find(letter); at != std::string_view::npos) {
      out[size++] = kMeaning[at];
      i += 2;
      continue;
    }
    int32_t rune = letter == 'u' ? HexQuad(raw, i + 2) : -1;
    if (rune < 0) return Fail(std::string(where) + ": invalid escape sequence in string");
    i += 6;
    if (rune >= 0xD800 && rune < 0xDC00 && raw.substr(i, 2) == "\\u") {
      const int32_t low = HexQuad(raw, i + 2);
      if (low >= 0xDC00 && low < 0xE000) {
        rune = 0x10000 + ((rune - 0xD800) << 10) + (low - 0xDC00);
        i += 6;
      }
    }
    size += EncodeUtf8(static_cast<uint32_t>(rune), out + size);
  }
  arena_->Trim(out, size);
  *value = {out, size};
  return true;
}

// A number or literal; its characters are checked, the grammar of numbers is not.
bool JsonCursor::SkipScalar() {
  const size_t begin = pos_;
  while (pos_ < text_.size() && (std::memchr("+-.", text_[pos_], 3) != nullptr ||
                                 std::isalnum(static_cast<uint8_t>(text_[pos_])) != 0))
    ++pos_;
  const std::string_view token = text_.substr(begin, pos_ - begin);
  if (token == "true" || token == "false" || token == "null") return true;
  if (!token.empty() && (token[0] == '-' || std::isdigit(static_cast<uint8_t>(token[0])) != 0)) return true;
  pos_ = begin;
  return FailUnexpected("Skip", "a value");
}

bool JsonCursor::Skip(std::string_view* raw) {
  Peek();
  const size_t begin = pos_;
  std::array<bool, kDepthMax> in_object;  // of each open bracket
  int depth = 0;
  bool at_value = true;  // else behind one
  while (true) {
    const char c = Peek();
    if (at_value && (c == '{' || c == '[')) {
      if (depth == kDepthMax) return Fail("Skip: nested too deeply");
      ++pos_;
      in_object[static_cast<size_t>(depth++)] = c == '{';
      at_value = !Consume(c == '{' ? '}' : ']');
      if (at_value) {
        if (c == '{') {
          std::string_view key;
          if (!String(&key, "Skip") || !Expect(':', "Skip")) return false;
        }
        continue;
      }
      --depth;
    } else if (at_value) {
      std::string_view text;
      if (c == '"' ? !String(&text, "Skip") : !SkipScalar()) return false;
      at_value = false;
    }
    // Behind a value: close what ends here, then go on to the next member.
    while (depth > 0 && Consume(in_object[static_cast<size_t>(depth - 1)] ? '}' : ']')) --depth;
    if (depth == 0) break;
    if (!Expect(',', "Skip")) return false;
    if (in_object[static_cast<size_t>(depth - 1)]) {
      std::string_view key;
      if (!String(&key, "Skip") || !Expect(':', "Skip")) return false;
    }
    at_value = true;
  }
  if (raw != nullptr) *raw = text_.substr(begin, pos_ - begin);
  return true;
}

}  // namespace varve
