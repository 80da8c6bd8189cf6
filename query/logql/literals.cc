#include "query/logql/literals.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "engine/base/time.h"
#include "engine/model/labels.h"

namespace varve::logql {
namespace {

constexpr int64_t kNsPerMinute = 60 * kNsPerSecond;
constexpr int64_t kNsPerDay = 24 * kNsPerHour;
constexpr uint64_t kInt64Max = std::numeric_limits<int64_t>::max();

struct DurationUnit {
  std::string_view name;
  int64_t ns;
};

// Biggest first: the order in which the units of one Prometheus duration must stand.
constexpr std::array<DurationUnit, 7> kPrometheusUnits = {{{"y", 365 * kNsPerDay},
                                                           {"w", 7 * kNsPerDay},
                                                           {"d", kNsPerDay},
                                                           {"h", kNsPerHour},
                                                           {"m", kNsPerMinute},
                                                           {"s", kNsPerSecond},
                                                           {"ms", kNsPerMs}}};
constexpr std::array<DurationUnit, 8> kGoUnits = {{{"ns", 1},
                                                   {"us", 1000},
                                                   {"\u00b5s", 1000},
                                                   {"\u03bcs", 1000},
                                                   {"ms", kNsPerMs},
                                                   {"s", kNsPerSecond},
                                                   {"m", kNsPerMinute},
                                                   {"h", kNsPerHour}}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string_view TakeDigits(std::string_view* text) {
  size_t n = 0;
  while (n < text->size() && IsDigit((*text)[n])) ++n;
  const std::string_view digits = text->substr(0, n);
  text->remove_prefix(n);
  return digits;
}

std::optional<uint64_t> ToUint64(std::string_view digits) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

Status BadDuration(std::string_view text) {
  return InvalidArgument("not a valid duration string: " + GoQuoted(text));
}

// One `3.5h` of a Go duration; nothing when malformed or too big.
std::optional<uint64_t> TakeGoTerm(std::string_view* text) {
  const std::string_view whole = TakeDigits(text);
  std::string_view fraction;
  if (!text->empty() && text->front() == '.') {
    text->remove_prefix(1);
    fraction = TakeDigits(text);
  }
  if (whole.empty() && fraction.empty()) return std::nullopt;
  size_t unit_length = 0;
  while (unit_length < text->size() && (*text)[unit_length] != '.' && !IsDigit((*text)[unit_length]))
    ++unit_length;
  const std::string_view name = text->substr(0, unit_length);
  text->remove_prefix(unit_length);
  for (const DurationUnit& unit : kGoUnits) {
    if (unit.name != name) continue;
    const std::optional<uint64_t> count = whole.empty() ? 0 : ToUint64(whole);
    const uint64_t unit_ns = static_cast<uint64_t>(unit.ns);
    if (!count || *count > (kInt64Max + 1) / unit_ns) return std::nullopt;
    // The fraction of an hour has 13 digits at most that matter; further ones cannot reach a nanosecond.
    double part = 0;
    double scale = static_cast<double>(unit.ns);
    for (size_t i = 0; i < fraction.size() && i < 18; ++i) {
      scale /= 10;
      part += (fraction[i] - '0') * scale;
    }
    // Sums of powers of ten fall short by rounding errors far below a nanosecond; 1e-4 undoes them.
    return *count * unit_ns + static_cast<uint64_t>(part + 1e-4);
  }
  return std::nullopt;
}

struct ByteUnit {
  std::string_view name;  // lower case
  uint64_t bytes;
};
constexpr std::array<ByteUnit, 22> kByteUnits = {{{"b", 1},
                                                  {"", 1},
                                                  {"k", 1000},
                                                  {"kb", 1000},
                                                  {"m", 1000'000},
                                                  {"mb", 1000'000},
                                                  {"g", 1000'000'000},
                                                  {"gb", 1000'000'000},
                                                  {"t", 1000'000'000'000},
                                                  {"tb", 1000'000'000'000},
                                                  {"p", 1000'000'000'000'000},
                                                  {"pb", 1000'000'000'000'000},
                                                  {"ki", 1ULL << 10},
                                                  {"kib", 1ULL << 10},
                                                  {"mi", 1ULL << 20},
                                                  {"mib", 1ULL << 20},
                                                  {"gi", 1ULL << 30},
                                                  {"gib", 1ULL << 30},
                                                  {"ti", 1ULL << 40},
                                                  {"tib", 1ULL << 40},
                                                  {"pi", 1ULL << 50},
                                                  {"pib", 1ULL << 50}}};

Status BadNumber(std::string_view text, std::string_view why) {
  return InvalidArgument("strconv.ParseFloat: parsing " + GoQuoted(text) + ": " + std::string(why));
}

// The sign, shortest digits "d.ddd" without the point, and decimal exponent of a finite number.
struct Digits {
  bool negative = false;
  std::string digits;
  int exponent = 0;  // of the first digit
};

Digits ShortestDigits(double value) {
  std::array<char, 40> buffer;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::fabs(value),
                                          std::chars_format::scientific);
  VARVE_CHECK(error == std::errc());
  const std::string_view text(buffer.data(), static_cast<size_t>(end - buffer.data()));
  const size_t e = text.find('e');
  Digits out;
  out.negative = std::signbit(value);
  for (const char c : text.substr(0, e)) {
    if (c != '.') out.digits.push_back(c);
  }
  const size_t sign_length = text[e + 1] == '+' ? 1 : 0;  // from_chars takes no plus
  std::from_chars(text.data() + e + 1 + sign_length, end, out.exponent);
  return out;
}

bool AppendSpecialNumber(std::string* out, double value) {
  if (std::isnan(value)) {
    *out += "NaN";
  } else if (std::isinf(value)) {
    *out += value > 0 ? "+Inf" : "-Inf";
  } else {
    return false;
  }
  return true;
}

}  // namespace

Result<int64_t> ParsePrometheusDuration(std::string_view text) {
  if (text.empty()) return InvalidArgument("empty duration string");
  if (text == "0") return int64_t{0};
  std::string_view rest = text;
  uint64_t total = 0;
  size_t next_unit = 0;  // units before this one may no longer come
  while (!rest.empty()) {
    const std::string_view digits = TakeDigits(&rest);
    const std::optional<uint64_t> count = ToUint64(digits);
    size_t unit_length = 0;
    while (unit_length < rest.size() && !IsDigit(rest[unit_length])) ++unit_length;
    if (!count || unit_length == 0) return BadDuration(text);
    const std::string_view name = rest.substr(0, unit_length);
    rest.remove_prefix(unit_length);
    size_t unit = 0;
    while (unit < kPrometheusUnits.size() && kPrometheusUnits[unit].name != name) ++unit;
    if (unit == kPrometheusUnits.size()) {
      return InvalidArgument("unknown unit " + GoQuoted(name) + " in duration " + GoQuoted(text));
    }
    if (unit < next_unit) return BadDuration(text);
    next_unit = unit + 1;
    const uint64_t unit_ns = static_cast<uint64_t>(kPrometheusUnits[unit].ns);
    if (*count > kInt64Max / unit_ns) return InvalidArgument("duration out of range");
    total += *count * unit_ns;
    if (total > kInt64Max) return InvalidArgument("duration out of range");
  }
  return static_cast<int64_t>(total);
}

std::optional<int64_t> ParseGoDuration(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  uint64_t total = 0;
  while (!text.empty()) {
    const std::optional<uint64_t> term = TakeGoTerm(&text);
    if (!term || *term > kInt64Max + 1 - total) return std::nullopt;
    total += *term;
  }
  if (negative) return static_cast<int64_t>(0 - total);
  if (total > kInt64Max) return std::nullopt;
  return static_cast<int64_t>(total);
}

std::optional<int64_t> ParseAnyDuration(std::string_view text) {
  Result<int64_t> prometheus = ParsePrometheusDuration(text);
  if (prometheus.ok()) return *prometheus;
  return ParseGoDuration(text);
}

std::optional<uint64_t> ParseByteSize(std::string_view text) {
  size_t number_length = 0;
  while (number_length < text.size() && (IsDigit(text[number_length]) || text[number_length] == '.'))
    ++number_length;
  const std::string_view number = text.substr(0, number_length);
  std::string name;
  for (const char c : text.substr(number_length))
    name.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  if (number.empty()) return std::nullopt;
  for (const ByteUnit& unit : kByteUnits) {
    if (unit.name != name) continue;
    if (number.find('.') == std::string_view::npos) {
      const std::optional<uint64_t> count = ToUint64(number);
      if (!count || *count > std::numeric_limits<uint64_t>::max() / unit.bytes) return std::nullopt;
      return *count * unit.bytes;
    }
    double count = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), count);
    if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
    count *= static_cast<double>(unit.bytes);
    if (count >= 0x1p64) return std::nullopt;
    return static_cast<uint64_t>(count);
  }
  return std::nullopt;
}

Result<double> ParseNumber(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != '_') digits.push_back(c);
  }
  double value = 0;
  const char* const end = digits.data() + digits.size();
  // A hexadecimal number must have an exponent of two: 0x1p4, not 0x10.
  const bool hexadecimal = digits.size() > 2 && digits[0] == '0' && (digits[1] | 0x20) == 'x';
  if (hexadecimal && digits.find_first_of("pP") == std::string::npos)
    return BadNumber(text, "invalid syntax");
  const auto [stop, error] = hexadecimal
                                 ? std::from_chars(digits.data() + 2, end, value, std::chars_format::hex)
                                 : std::from_chars(digits.data(), end, value);
  if (stop != end) return BadNumber(text, "invalid syntax");
  if (error == std::errc::result_out_of_range) {
    // Too small is zero, as everywhere; from_chars does not say which of the two it was.
    value = std::strtod(digits.c_str(), nullptr);
    if (std::fabs(value) > 1) return BadNumber(text, "value out of range");
  } else if (error != std::errc()) {
    return BadNumber(text, "invalid syntax");
  }
  return value;
}

void AppendPrometheusDuration(std::string* out, int64_t ns) {
  if (ns < kNsPerMs) {
    *out += "0s";
    return;
  }
  int64_t rest = ns - ns % kNsPerMs;
  for (const DurationUnit& unit : kPrometheusUnits) {
    // 90d rather than 12w6d: years and weeks only when they leave nothing over.
    const bool whole_only = unit.ns >= 7 * kNsPerDay;
    if (rest < unit.ns || (whole_only && rest % unit.ns != 0)) continue;
    *out += std::to_string(rest / unit.ns);
    *out += unit.name;
    rest %= unit.ns;
  }
}

void AppendGoDuration(std::string* out, int64_t ns) {
  if (ns == 0) {
    *out += "0s";
    return;
  }
  if (ns < 0) out->push_back('-');
  uint64_t rest = ns < 0 ? 0 - static_cast<uint64_t>(ns) : static_cast<uint64_t>(ns);
  // Fractions below `unit` nanoseconds, without trailing zeros.
  const auto append_decimal = [out](uint64_t value, uint64_t unit, std::string_view name) {
    *out += std::to_string(value / unit);
    std::string fraction = std::to_string(unit + value % unit).substr(1);
    while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
    if (!fraction.empty()) *out += "." + fraction;
    *out += name;
  };
  const uint64_t second = static_cast<uint64_t>(kNsPerSecond);
  if (rest < 1000) {
    *out += std::to_string(rest) + "ns";
  } else if (rest < 1'000'000) {
    append_decimal(rest, 1000, "\u00b5s");
  } else if (rest < second) {
    append_decimal(rest, 1'000'000, "ms");
  } else {
    const uint64_t hours = rest / (3600 * second);
    const uint64_t minutes = rest / (60 * second);
    if (hours > 0) *out += std::to_string(hours) + "h";
    if (minutes > 0) *out += std::to_string(minutes % 60) + "m";
    append_decimal(rest % (60 * second), second, "s");
  }
}

void AppendRoundedBytes(std::string* out, uint64_t bytes) {
  // Up to what the language can read.
  constexpr std::array<std::string_view, 6> kNames = {"B", "kB", "MB", "GB", "TB", "PB"};
  if (bytes < 10) {
    *out += std::to_string(bytes) + "B";
    return;
  }
  const double exponent = std::min(std::floor(std::log(static_cast<double>(bytes)) / std::log(1000.0)), 5.0);
  const double value = std::floor(static_cast<double>(bytes) / std::pow(1000.0, exponent) * 10 + 0.5) / 10;
  std::array<char, 32> buffer;
  std::snprintf(buffer.data(), buffer.size(), value < 10 ? "%.1f" : "%.0f", value);
  *out += buffer.data();
  *out += kNames[static_cast<size_t>(exponent)];
}

void AppendPlainNumber(std::string* out, double value) {
  if (AppendSpecialNumber(out, value)) return;
  const Digits d = ShortestDigits(value);
  if (d.negative) out->push_back('-');
  const int count = static_cast<int>(d.digits.size());
  if (d.exponent < 0) {
    *out += "0.";
    out->append(static_cast<size_t>(-d.exponent - 1), '0');
    *out += d.digits;
    return;
  }
  for (int i = 0; i <= d.exponent || i < count; ++i) {
    if (i == d.exponent + 1) out->push_back('.');
    out->push_back(i < count ? d.digits[static_cast<size_t>(i)] : '0');
  }
}

void AppendGoNumber(std::string* out, double value) {
  if (AppendSpecialNumber(out, value)) return;
  const Digits d = ShortestDigits(value);
  // Go goes over to exponents from a million on, and for anything below 0.0001.
  if (value == 0 || (d.exponent >= -4 && d.exponent < 6)) return AppendPlainNumber(out, value);
  if (d.negative) out->push_back('-');
  out->push_back(d.digits[0]);
  if (d.digits.size() > 1) *out += "." + d.digits.substr(1);
  std::array<char, 16> buffer;
  std::snprintf(buffer.data(), buffer.size(), "e%+03d", d.exponent);
  *out += buffer.data();
}

void AppendFixedNumber(std::string* out, double value) {
  if (AppendSpecialNumber(out, value)) return;
  std::array<char, 340> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%f", value);
  *out += buffer.data();
}

}  // namespace varve::logql
