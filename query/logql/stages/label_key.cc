#include "query/logql/stages/label_key.h"

#include <array>
#include <cstring>

#include "engine/base/bytes.h"

namespace varve::logql {
namespace {

constexpr std::array<bool, 256> MakeNameBytes() {
  std::array<bool, 256> table{};
  for (int c = 0; c < 256; ++c) {
    table[static_cast<size_t>(c)] =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }
  return table;
}
constexpr std::array<bool, 256> kNameBytes = MakeNameBytes();

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Go's unicode.IsSpace for ASCII, U+0085 and U+00A0 apart (they become "_" like other letters).
bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

bool IsCleanLabelKey(std::string_view key) {
  if (key.empty() || IsDigit(key[0])) return false;
  for (const char c : key) {
    if (!kNameBytes[static_cast<uint8_t>(c)]) return false;
  }
  return true;
}

size_t Utf8SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t b0 = byte(0);
  if (b0 < 0x80) return 1;
  const size_t length = b0 >= 0xF0 ? 4 : b0 >= 0xE0 ? 3 : b0 >= 0xC2 ? 2 : 0;
  if (length == 0 || b0 > 0xF4 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const uint8_t b1 = byte(1);
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  if ((b0 == 0xE0 && b1 < 0xA0) || (b0 == 0xED && b1 > 0x9F) || (b0 == 0xF0 && b1 < 0x90) ||
      (b0 == 0xF4 && b1 > 0x8F)) {
    return 0;
  }
  return length;
}

void AppendSanitisedKey(std::string* out, std::string_view key) {
  while (!key.empty() && IsSpace(key.front())) key.remove_prefix(1);
  while (!key.empty() && IsSpace(key.back())) key.remove_suffix(1);
  if (key.empty()) return;
  if (out->empty() && IsDigit(key[0])) out->push_back('_');
  size_t clean = 0;
  while (clean < key.size() && kNameBytes[static_cast<uint8_t>(key[clean])]) ++clean;
  out->append(key.data(), clean);
  key.remove_prefix(clean);
  while (!key.empty()) {
    if (kNameBytes[static_cast<uint8_t>(key[0])]) {
      out->push_back(key[0]);
      key.remove_prefix(1);
      continue;
    }
    out->push_back('_');
    const size_t length = Utf8SequenceLength(key);
    key.remove_prefix(length == 0 ? 1 : length);
  }
}

bool HasNonAscii(std::string_view text) {
  const char* p = text.data();
  const char* end = p + text.size();
  uint64_t bits = 0;
  for (; end - p >= 8; p += 8) bits |= LoadFixed<uint64_t>(p);
  for (; p != end; ++p) bits |= static_cast<uint8_t>(*p);
  return (bits & 0x8080808080808080ULL) != 0;
}

std::string_view ReplaceInvalidUtf8(std::string_view text, RowArena* arena) {
  if (!HasNonAscii(text)) return text;
  char* out = nullptr;  // allocated at the first replacement; never longer than the text
  size_t written = 0;
  for (size_t i = 0; i < text.size();) {
    const size_t length = Utf8SequenceLength(text.substr(i));
    const bool bad = length == 0 || (length == 3 && text.substr(i, 3) == "\xEF\xBF\xBD");
    const size_t step = length == 0 ? 1 : length;
    if (bad && out == nullptr) {
      out = arena->Allocate(text.size());
      std::memcpy(out, text.data(), i);
      written = i;
    }
    if (out != nullptr) {
      if (bad) {
        out[written++] = ' ';
      } else {
        std::memcpy(out + written, text.data() + i, step);
        written += step;
      }
    }
    i += step;
  }
  return out == nullptr ? text : std::string_view(out, written);
}

char* AppendUtf8(char* out, uint32_t rune) {
  if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF)) rune = 0xFFFD;
  if (rune < 0x80) {
    *out++ = static_cast<char>(rune);
  } else if (rune < 0x800) {
    *out++ = static_cast<char>(0xC0 | rune >> 6);
    *out++ = static_cast<char>(0x80 | (rune & 0x3F));
  } else if (rune < 0x10000) {
    *out++ = static_cast<char>(0xE0 | rune >> 12);
    *out++ = static_cast<char>(0x80 | (rune >> 6 & 0x3F));
    *out++ = static_cast<char>(0x80 | (rune & 0x3F));
  } else {
    *out++ = static_cast<char>(0xF0 | rune >> 18);
    *out++ = static_cast<char>(0x80 | (rune >> 12 & 0x3F));
    *out++ = static_cast<char>(0x80 | (rune >> 6 & 0x3F));
    *out++ = static_cast<char>(0x80 | (rune & 0x3F));
  }
  return out;
}

}  // namespace varve::logql
