#include "query/promql/syntax/number_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>

#include "engine/model/labels.h"

namespace varve::promql {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  const char lower = Lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 16;
}

// Go's rule: `_` stands between digits, or between a base prefix and a digit.
bool UnderscoresAreWell(std::string_view text) {
  char before = '^';  // '0': a digit, '_', '!': something else, '^': the beginning
  size_t i = 0;
  bool hex = false;
  if (text.size() >= 2 && text[0] == '0' && std::string_view("box").find(Lower(text[1])) != std::string_view::npos) {
    before = '0';
    hex = Lower(text[1]) == 'x';
    i = 2;
  }
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (IsDigit(c) || (hex && HexDigit(c) < 16)) {
      before = '0';
    } else if (c == '_') {
      if (before != '0') return false;
      before = '_';
    } else {
      if (before == '_') return false;
      before = '!';
    }
  }
  return before != '_';
}

std::string WithoutUnderscores(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '_') out.push_back(c);
  }
  return out;
}

// Go's ParseInt with base 0: nothing where it refuses.
std::optional<int64_t> ParseInteger(std::string_view text) {
  if (text.empty() || !UnderscoresAreWell(text)) return std::nullopt;
  int base = 10;
  std::string digits = WithoutUnderscores(text);
  if (digits[0] == '0') {
    base = 8;
    size_t prefix = 1;
    if (digits.size() >= 3 && Lower(digits[1]) == 'x') base = 16, prefix = 2;
    if (digits.size() >= 3 && Lower(digits[1]) == 'b') base = 2, prefix = 2;
    if (digits.size() >= 3 && Lower(digits[1]) == 'o') prefix = 2;
    if (digits.size() == 1) return 0;
    digits.erase(0, prefix);
  }
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

struct DurationUnit {
  std::string_view name;
  int64_t ms;
};
// Biggest first: the order in which the units of one duration must stand.
constexpr int64_t kDayMs = 24LL * 3600 * 1000;
constexpr std::array<DurationUnit, 7> kUnits = {
    {{"y", 365 * kDayMs}, {"w", 7 * kDayMs}, {"d", kDayMs}, {"h", 3600 * 1000}, {"m", 60 * 1000}, {"s", 1000}, {"ms", 1}}};

Status BadDuration(std::string_view text) {
  return InvalidArgument("not a valid duration string: " + GoQuoted(text));
}

}  // namespace

Result<double> ParseNumber(std::string_view text) {
  if (const std::optional<int64_t> integer = ParseInteger(text)) return static_cast<double>(*integer);
  const auto bad = [&](std::string_view why) {
    return InvalidArgument("strconv.ParseFloat: parsing " + GoQuoted(text) + ": " + std::string(why));
  };
  std::string lower;
  for (const char c : text) lower.push_back(Lower(c));
  if (lower == "inf") return std::numeric_limits<double>::infinity();
  if (lower == "nan") return std::numeric_limits<double>::quiet_NaN();
  const bool hex = lower.starts_with("0x");
  // Go wants an exponent in a hexadecimal float.
  if (!UnderscoresAreWell(text) || (hex && lower.find('p') == std::string::npos)) return bad("invalid syntax");
  const std::string digits = WithoutUnderscores(hex ? std::string_view(lower).substr(2) : std::string_view(lower));
  if (digits.empty() || !(IsDigit(digits[0]) || digits[0] == '.' || hex)) return bad("invalid syntax");
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value,
                                            hex ? std::chars_format::hex : std::chars_format::general);
  if (end != digits.data() + digits.size() || error == std::errc::invalid_argument) return bad("invalid syntax");
  if (error == std::errc::result_out_of_range) {
    // from_chars does not say in which direction; strtod gives zero or a denormal, or infinity.
    value = std::strtod((hex ? "0x" + digits : digits).c_str(), nullptr);
    if (std::isinf(value)) return bad("value out of range");
  }
  return value;
}

Result<int64_t> ParseDurationNs(std::string_view text) {
  if (text == "0") return int64_t{0};
  if (text.empty()) return InvalidArgument("empty duration string");
  constexpr uint64_t kMax = uint64_t{1} << 63;
  uint64_t total = 0;
  size_t next_unit = 0;
  size_t at = 0;
  while (at < text.size()) {
    size_t end = at;
    while (end < text.size() && IsDigit(text[end])) ++end;
    uint64_t count = 0;
    const auto [stop, error] = std::from_chars(text.data() + at, text.data() + end, count);
    if (end == at || error != std::errc()) return BadDuration(text);
    at = end;
    while (end < text.size() && !IsDigit(text[end])) ++end;
    if (end == at) return BadDuration(text);
    const std::string_view name = text.substr(at, end - at);
    at = end;
    size_t unit = 0;
    while (unit < kUnits.size() && kUnits[unit].name != name) ++unit;
    if (unit == kUnits.size()) {
      return InvalidArgument("unknown unit " + GoQuoted(name) + " in duration " + GoQuoted(text));
    }
    if (unit < next_unit) return BadDuration(text);
    next_unit = unit + 1;
    const uint64_t unit_ns = static_cast<uint64_t>(kUnits[unit].ms) * 1000 * 1000;
    if (count > kMax / unit_ns) return InvalidArgument("duration out of range");
    total += count * unit_ns;
    if (total > kMax - 1) return InvalidArgument("duration out of range");
  }
  return static_cast<int64_t>(total);
}

Result<std::string> Unquote(std::string_view quoted) {
  const auto bad = [] { return InvalidArgument("invalid syntax"); };
  if (quoted.size() < 2 || quoted.front() != quoted.back()) return bad();
  const char quote = quoted.front();
  const std::string_view text = quoted.substr(1, quoted.size() - 2);
  if (quote == '`') {
    if (text.find('`') != std::string_view::npos) return bad();
    return std::string(text);
  }
  if (quote != '"' && quote != '\'') return bad();
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == quote || text[i] == '\n') return bad();
    if (text[i] != '\\') {
      out.push_back(text[i]);
      continue;
    }
    if (++i == text.size()) return bad();
    const char c = text[i];
    static constexpr std::string_view kNames = "abfnrtv\\";
    static constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\";
    if (const size_t plain = kNames.find(c); plain != std::string_view::npos) {
      out.push_back(kValues[plain]);
    } else if (c == quote) {
      out.push_back(c);
    } else if (c >= '0' && c <= '7') {
      if (i + 2 >= text.size()) return bad();
      int value = 0;
      for (size_t k = 0; k < 3; ++k) {
        if (text[i + k] < '0' || text[i + k] > '7') return bad();
        value = value * 8 + (text[i + k] - '0');
      }
      if (value > 255) return bad();
      out.push_back(static_cast<char>(value));
      i += 2;
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const size_t count = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      if (i + count >= text.size()) return bad();
      uint32_t value = 0;
      for (size_t k = 1; k <= count; ++k) {
        const int digit = HexDigit(text[i + k]);
        if (digit > 15 || value > 0x10FFFF) return bad();
        value = value * 16 + static_cast<uint32_t>(digit);
      }
      i += count;
      if (c == 'x') {
        out.push_back(static_cast<char>(value));
      } else if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
        return bad();
      } else {
        AppendRune(&out, value);
      }
    } else {
      return bad();
    }
  }
  return out;
}

void AppendDuration(std::string* out, int64_t ms) {
  if (ms == 0) {
    out->append("0s");
    return;
  }
  for (const DurationUnit& unit : kUnits) {
    const bool exact_only = unit.name == "y" || unit.name == "w";
    if (exact_only && ms % unit.ms != 0) continue;
    const int64_t count = ms / unit.ms;
    if (count <= 0) continue;
    out->append(std::to_string(count)).append(unit.name);
    ms -= count * unit.ms;
  }
}

void AppendPlainNumber(std::string* out, double value) {
  if (std::isnan(value)) {
    out->append("NaN");
  } else if (std::isinf(value)) {
    out->append(value > 0 ? "+Inf" : "-Inf");
  } else {
    std::array<char, 400> buffer;  // the longest has 309 digits before the point, or 340 after it
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
    VARVE_CHECK(error == std::errc());
    out->append(buffer.data(), end);
  }
}

namespace {

// With an exponent unless that lies in [first, end).
void AppendWithExponent(std::string* out, double value, int first, int end_exponent) {
  std::array<char, 40> buffer;
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  VARVE_CHECK(error == std::errc());
  const std::string_view text(buffer.data(), static_cast<size_t>(end - buffer.data()));
  const int exponent = std::atoi(std::string(text.substr(text.find('e') + 1)).c_str());
  if (exponent < first || exponent >= end_exponent) {
    out->append(text);
  } else {
    AppendPlainNumber(out, value);
  }
}

}  // namespace

void AppendGoNumber(std::string* out, double value) {
  if (!std::isfinite(value)) return AppendPlainNumber(out, value);
  AppendWithExponent(out, value, -4, 6);
}

void AppendGoJsonNumber(std::string* out, double value) { AppendWithExponent(out, value, -6, 21); }

std::string QuotedRune(int32_t rune) {
  if (rune == '\'') return "'\\''";
  if (rune == '"') return "'\"'";
  std::string text;
  AppendRune(&text, rune < 0 ? 0xFFFD : static_cast<uint32_t>(rune));
  std::string quoted = GoQuoted(text);
  quoted.front() = quoted.back() = '\'';
  return quoted;
}

DecodedRune DecodeRune(std::string_view text, size_t at) {
  if (at >= text.size()) return {};
  const auto byte = [&](size_t i) -> uint32_t {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0;
  };
  const uint32_t first = byte(0);
  constexpr DecodedRune kBad = {0xFFFD, 1};
  const auto tail = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  if (first < 0x80) return {static_cast<int32_t>(first), 1};
  if (first >= 0xC2 && first < 0xE0) {
    if (!tail(1)) return kBad;
    return {static_cast<int32_t>(((first & 0x1F) << 6) | (byte(1) & 0x3F)), 2};
  }
  if (first >= 0xE0 && first < 0xF0) {
    if (!tail(1) || !tail(2)) return kBad;
    const uint32_t rune = ((first & 0x0F) << 12) | ((byte(1) & 0x3F) << 6) | (byte(2) & 0x3F);
    if (rune < 0x800 || (rune >= 0xD800 && rune < 0xE000)) return kBad;
    return {static_cast<int32_t>(rune), 3};
  }
  if (first >= 0xF0 && first < 0xF5) {
    if (!tail(1) || !tail(2) || !tail(3)) return kBad;
    const uint32_t rune =
        ((first & 0x07) << 18) | ((byte(1) & 0x3F) << 12) | ((byte(2) & 0x3F) << 6) | (byte(3) & 0x3F);
    if (rune < 0x10000 || rune > 0x10FFFF) return kBad;
    return {static_cast<int32_t>(rune), 4};
  }
  return kBad;
}

void AppendRune(std::string* out, uint32_t rune) {
  const auto put = [out](uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (rune < 0x80) {
    put(rune);
  } else if (rune < 0x800) {
    put(0xC0 | (rune >> 6));
    put(0x80 | (rune & 0x3F));
  } else if (rune < 0x10000) {
    put(0xE0 | (rune >> 12));
    put(0x80 | ((rune >> 6) & 0x3F));
    put(0x80 | (rune & 0x3F));
  } else {
    put(0xF0 | (rune >> 18));
    put(0x80 | ((rune >> 12) & 0x3F));
    put(0x80 | ((rune >> 6) & 0x3F));
    put(0x80 | (rune & 0x3F));
  }
}

bool IsValidUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const DecodedRune decoded = DecodeRune(text, at);
    if (decoded.rune == 0xFFFD && decoded.width == 1) return false;
    at += static_cast<size_t>(decoded.width);
  }
  return true;
}

}  // namespace varve::promql
