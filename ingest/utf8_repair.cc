#include "ingest/utf8_repair.h"

#include <simdjson.h>

namespace varve {

bool IsValidUtf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

size_t DecodeUtf8Sequence(std::string_view text, size_t i, uint32_t* rune) {
  const auto byte = [&](size_t k) { return static_cast<uint8_t>(text[k]); };
  const uint8_t b0 = byte(i);
  if (b0 < 0x80) {
    *rune = b0;
    return 1;
  }
  const size_t length = b0 >= 0xF0 ? 4 : b0 >= 0xE0 ? 3 : b0 >= 0xC2 ? 2 : 0;
  if (length == 0 || b0 > 0xF4 || i + length > text.size()) return 0;
  uint32_t value = b0 & (0x7Fu >> length);
  for (size_t k = 1; k < length; ++k) {
    if ((byte(i + k) & 0xC0) != 0x80) return 0;
    value = (value << 6) | (byte(i + k) & 0x3Fu);
  }
  static constexpr uint32_t kMinimum[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kMinimum[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return 0;
  *rune = value;
  return length;
}

size_t EncodeUtf8(uint32_t rune, char* out) {
  if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF)) rune = 0xFFFD;
  if (rune < 0x80) {
    out[0] = static_cast<char>(rune);
    return 1;
  }
  if (rune < 0x800) {
    out[0] = static_cast<char>(0xC0 | (rune >> 6));
    out[1] = static_cast<char>(0x80 | (rune & 0x3F));
    return 2;
  }
  if (rune < 0x10000) {
    out[0] = static_cast<char>(0xE0 | (rune >> 12));
    out[1] = static_cast<char>(0x80 | ((rune >> 6) & 0x3F));
    out[2] = static_cast<char>(0x80 | (rune & 0x3F));
    return 3;
  }
  out[0] = static_cast<char>(0xF0 | (rune >> 18));
  out[1] = static_cast<char>(0x80 | ((rune >> 12) & 0x3F));
  out[2] = static_cast<char>(0x80 | ((rune >> 6) & 0x3F));
  out[3] = static_cast<char>(0x80 | (rune & 0x3F));
  return 4;
}

size_t RepairUtf8(std::string_view text, char* out) {
  char* const begin = out;
  for (size_t i = 0; i < text.size();) {
    uint32_t rune = 0;
    const size_t length = DecodeUtf8Sequence(text, i, &rune);
    out += EncodeUtf8(length == 0 ? 0xFFFD : rune, out);
    i += length == 0 ? 1 : length;
  }
  return static_cast<size_t>(out - begin);
}

std::string RepairedUtf8(std::string_view text) {
  std::string out(RepairedSizeMax(text.size()), '\0');
  out.resize(RepairUtf8(text, out.data()));
  return out;
}

}  // namespace varve
