// Text must be UTF-8 to be shown as JSON: invalid bytes become U+FFFD, one for each, as Go prints them.
//
// Threads: thread-safe (pure functions).
#pragma once

#include <string>
#include <string_view>

namespace varve {

bool IsValidUtf8(std::string_view text);

// Whether no byte has its high bit set. Inline and branch-light: runs over every line.
inline bool IsAscii(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  uint64_t seen = 0;
  for (; end - p >= 32; p += 32) {
    uint64_t words[4];
    __builtin_memcpy(words, p, sizeof(words));
    seen |= words[0] | words[1] | words[2] | words[3];
  }
  for (; end - p >= 8; p += 8) {
    uint64_t word;
    __builtin_memcpy(&word, p, sizeof(word));
    seen |= word;
  }
  for (; p != end; ++p) seen |= static_cast<uint8_t>(*p);
  return (seen & 0x8080808080808080u) == 0;
}

// The most bytes that repairing `size` bytes can give.
inline constexpr size_t RepairedSizeMax(size_t size) { return size * 3; }
// Writes the repaired text to `out` (RepairedSizeMax bytes of room) and returns its size.
size_t RepairUtf8(std::string_view text, char* out);
std::string RepairedUtf8(std::string_view text);

// Decodes the sequence that begins at text[i]: its length, or 0 when it is not valid UTF-8.
size_t DecodeUtf8Sequence(std::string_view text, size_t i, uint32_t* rune);
// Appends a rune; surrogates and numbers above U+10FFFF become U+FFFD. `out` has room for 4 bytes.
size_t EncodeUtf8(uint32_t rune, char* out);

}  // namespace varve
