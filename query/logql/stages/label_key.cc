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

}  // namespace varve::logql
