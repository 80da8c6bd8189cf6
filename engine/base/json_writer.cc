#include "engine/base/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

namespace varve {
namespace {

// What the scan over plain text must stop at.
constexpr std::array<bool, 256> kNeedsCare = [] {
  std::array<bool, 256> table{};
  for (size_t c = 0; c < 0x20; ++c) table[c] = true;
  for (size_t c = 0x80; c < 0x100; ++c) table[c] = true;
  for (const char c : {'"', '\\', '<', '>', '&'}) table[static_cast<uint8_t>(c)] = true;
  return table;
}();

void AppendUnicodeEscape(std::string* out, uint32_t code) {
  constexpr char kHex[] = "0123456789abcdef";
  const char escape[6] = {
      '\\', 'u', kHex[(code >> 12) & 15], kHex[(code >> 8) & 15], kHex[(code >> 4) & 15], kHex[code & 15]};
  out->append(escape, sizeof(escape));
}

void AppendAsciiEscape(std::string* out, uint8_t c) {
  switch (c) {
    case '"': out->append("\\\""); break;
    case '\\': out->append("\\\\"); break;
    case '\n': out->append("\\n"); break;
    case '\r': out->append("\\r"); break;
    case '\t': out->append("\\t"); break;
    default: AppendUnicodeEscape(out, c);
  }
}

// The length of the UTF-8 sequence at `p`, and its code point; 0 when it is malformed (surrogates, overlong
// forms and values above U+10FFFF included).
size_t DecodeUtf8(const uint8_t* p, const uint8_t* end, uint32_t* code) {
  const uint8_t lead = *p;
  const auto continuation = [&](size_t i) { return p + i < end && (p[i] & 0xC0) == 0x80; };
  if (lead >= 0xC2 && lead <= 0xDF && continuation(1)) {
    *code = static_cast<uint32_t>((lead & 0x1F) << 6 | (p[1] & 0x3F));
    return 2;
  }
  if (lead >= 0xE0 && lead <= 0xEF && continuation(1) && continuation(2)) {
    *code = static_cast<uint32_t>((lead & 0x0F) << 12 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F));
    return *code < 0x800 || (*code >= 0xD800 && *code <= 0xDFFF) ? 0 : 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4 && continuation(1) && continuation(2) && continuation(3)) {
    *code =
        static_cast<uint32_t>((lead & 0x07) << 18 | (p[1] & 0x3F) << 12 | (p[2] & 0x3F) << 6 | (p[3] & 0x3F));
    return *code < 0x10000 || *code > 0x10FFFF ? 0 : 4;
  }
  return 0;
}

}  // namespace

void AppendJsonString(std::string* out, std::string_view text) {
  out->push_back('"');
  const auto* p = reinterpret_cast<const uint8_t*>(text.data());
  const uint8_t* const end = p + text.size();
  const uint8_t* plain = p;  // what is not yet copied
  const auto flush = [&](const uint8_t* up_to) {
    out->append(reinterpret_cast<const char*>(plain), static_cast<size_t>(up_to - plain));
  };
  while (p != end) {
    if (!kNeedsCare[*p]) {
      ++p;
      continue;
    }
    if (*p < 0x80) {
      flush(p);
      AppendAsciiEscape(out, *p);
      plain = ++p;
      continue;
    }
    uint32_t code = 0;
    const size_t length = DecodeUtf8(p, end, &code);
    if (length != 0 && code != 0x2028 && code != 0x2029) {
      p += length;
      continue;
    }
    flush(p);
    AppendUnicodeEscape(out, length == 0 ? 0xFFFD : code);
    plain = p += length == 0 ? 1 : length;
  }
  flush(end);
  out->push_back('"');
}

void AppendInt(std::string* out, int64_t value) {
  char buffer[24];
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), value);
  out->append(buffer, result.ptr);
}

void AppendUint(std::string* out, uint64_t value) {
  char buffer[24];
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), value);
  out->append(buffer, result.ptr);
}

void AppendGoFloat(std::string* out, double value) {
  if (std::isnan(value)) {
    out->append("NaN");
    return;
  }
  if (std::isinf(value)) {
    out->append(value > 0 ? "+Inf" : "-Inf");
    return;
  }
  constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
  if (std::fabs(value) < kExactIntegers && value == std::trunc(value) &&
      !(value == 0 && std::signbit(value))) {
    AppendInt(out, static_cast<int64_t>(value));
    return;
  }
  // Not chars_format::fixed: above 2^53 it prints every digit of the binary value, where Go pads the
  // shortest digits with zeros. So take the shortest digits and place the point here.
  char buffer[40];
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  std::string_view text(buffer, static_cast<size_t>(result.ptr - buffer));
  if (text.front() == '-') {
    out->push_back('-');
    text.remove_prefix(1);
  }
  const size_t e = text.find('e');
  int exponent = 0;
  const char* exponent_begin = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(exponent_begin, text.data() + text.size(), exponent);
  std::string digits(1, text[0]);
  if (e > 2) digits.append(text.substr(2, e - 2));
  const int point = exponent + 1;  // digits in front of the decimal point
  const int count = static_cast<int>(digits.size());
  if (point <= 0) {
    out->append("0.").append(static_cast<size_t>(value == 0 ? 0 : -point), '0').append(digits);
  } else if (point >= count) {
    out->append(digits).append(static_cast<size_t>(point - count), '0');
  } else {
    out->append(digits, 0, static_cast<size_t>(point)).push_back('.');
    out->append(digits, static_cast<size_t>(point));
  }
}

void AppendJsonNumber(std::string* out, double value) {
  AppendGoFloat(out, std::isfinite(value) ? value : 0);
}

void AppendMillisAsSeconds(std::string* out, int64_t millis) {
  // The magnitude as unsigned, so that the most negative value has one too.
  const uint64_t magnitude = millis < 0 ? ~static_cast<uint64_t>(millis) + 1 : static_cast<uint64_t>(millis);
  if (millis < 0) out->push_back('-');
  AppendUint(out, magnitude / 1000);
  const auto fraction = static_cast<uint32_t>(magnitude % 1000);
  if (fraction == 0) return;
  char digits[4] = {'.', static_cast<char>('0' + fraction / 100), static_cast<char>('0' + fraction / 10 % 10),
                    static_cast<char>('0' + fraction % 10)};
  size_t size = 4;
  while (digits[size - 1] == '0') --size;
  out->append(digits, size);
}

}  // namespace varve
