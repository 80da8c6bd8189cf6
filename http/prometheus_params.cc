#include "http/prometheus_params.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

#include "engine/base/time.h"
#include "engine/model/labels.h"
#include "ingest/utf8_repair.h"
#include "query/logql/literals.h"

namespace varve {
namespace {

constexpr int64_t kSecondsMin = kPromTimeMinMs / 1000;
constexpr int64_t kSecondsMax = kPromTimeMaxMs / 1000;

// Without underscores, each of which must stand between two digits (of which the x of 0x counts as one).
std::optional<std::string> WithoutUnderscores(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out.push_back(text[i]);
      continue;
    }
    const auto is_digit = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
    const bool after_digit = i > 0 && (is_digit(text[i - 1]) || text[i - 1] == 'x' || text[i - 1] == 'X');
    if (!after_digit || i + 1 >= text.size() || !is_digit(text[i + 1])) return std::nullopt;
  }
  return out;
}

UnixTime Clamped(int64_t seconds, int32_t ns) {
  if (seconds < kSecondsMin) return {kSecondsMin, 0};
  if (seconds > kSecondsMax) return {kSecondsMax, 0};
  return {seconds, ns};
}

}  // namespace

std::optional<double> ParseGoFloat64(std::string_view text) {
  std::string plain(text);
  if (text.find('_') != std::string_view::npos) {
    std::optional<std::string> without = WithoutUnderscores(text);
    if (!without.has_value()) return std::nullopt;
    plain = *std::move(without);
  }
  std::string_view magnitude = plain;
  const bool negative = magnitude.starts_with('-');
  if (negative || magnitude.starts_with('+')) magnitude.remove_prefix(1);
  auto format = std::chars_format::general;
  if (magnitude.starts_with("0x") || magnitude.starts_with("0X")) {
    // Go wants the binary exponent, which std::from_chars does not.
    if (magnitude.find_first_of("pP") == std::string_view::npos) return std::nullopt;
    magnitude.remove_prefix(2);
    format = std::chars_format::hex;
  }
  // from_chars would take a second sign, and a payload of NaN.
  if (magnitude.empty() || magnitude.front() == '-' || magnitude.find('(') != std::string_view::npos) {
    return std::nullopt;
  }
  double value = 0;
  const char* const end = magnitude.data() + magnitude.size();
  const auto result = std::from_chars(magnitude.data(), end, value, format);
  if (result.ptr != end || result.ec == std::errc::invalid_argument) return std::nullopt;
  if (result.ec == std::errc::result_out_of_range) {
    if (format == std::chars_format::hex) return std::nullopt;
    value = std::strtod(std::string(magnitude).c_str(), nullptr);
    if (std::isinf(value)) return std::nullopt;  // too small is 0, too large an error
  }
  return negative ? -value : value;
}

Result<UnixTime> ParsePromTime(std::string_view value) {
  if (const std::optional<double> number = ParseGoFloat64(value)) {
    if (std::isnan(*number)) return Clamped(INT64_MIN, 0);
    double whole = 0;
    const double fraction = std::modf(*number, &whole);
    if (whole < static_cast<double>(kSecondsMin)) return Clamped(INT64_MIN, 0);
    if (whole > static_cast<double>(kSecondsMax)) return Clamped(INT64_MAX, 0);
    auto seconds = static_cast<int64_t>(whole);
    auto ns = static_cast<int64_t>(std::round(fraction * 1000)) * kNsPerMs;
    if (ns < 0) {
      --seconds;
      ns += kNsPerSecond;
    } else if (ns == kNsPerSecond) {
      ++seconds;
      ns = 0;
    }
    return Clamped(seconds, static_cast<int32_t>(ns));
  }
  if (const std::optional<UnixTime> time = ParseRfc3339(value)) return *time;
  // What Go's MinTime and MaxTime print as; clients that were told them send them back.
  if (value == "-292273086-05-16T16:47:06Z") return Clamped(INT64_MIN, 0);
  if (value == "+292277025-08-18T07:12:54.999999999Z" || value == "292277025-08-18T07:12:54.999999999Z") {
    return Clamped(INT64_MAX, 0);
  }
  return InvalidArgument("cannot parse " + GoQuoted(value) + " to a valid timestamp");
}

int64_t ToMillis(const UnixTime& time) { return time.seconds * 1000 + time.ns / kNsPerMs; }

UnixTime FromMillis(int64_t millis) {
  int64_t seconds = millis / 1000;
  int64_t rest = millis % 1000;
  if (rest < 0) {
    rest += 1000;
    --seconds;
  }
  return {seconds, static_cast<int32_t>(rest * kNsPerMs)};
}

Result<int64_t> ParsePromDurationNs(std::string_view value) {
  if (const std::optional<double> seconds = ParseGoFloat64(value)) {
    const double ns = *seconds * static_cast<double>(kNsPerSecond);
    constexpr double kLimit = 9223372036854775808.0;  // 2^63
    if (ns >= kLimit || ns < -kLimit) {
      return InvalidArgument("cannot parse " + GoQuoted(value) + " to a valid duration. It overflows int64");
    }
    return std::isnan(ns) ? INT64_MIN : static_cast<int64_t>(ns);
  }
  Result<int64_t> duration = logql::ParsePrometheusDuration(value);
  if (!duration.ok()) return InvalidArgument("cannot parse " + GoQuoted(value) + " to a valid duration");
  return duration;
}

Result<int64_t> ParseGoAtoi(std::string_view value) {
  std::string_view digits = value;
  if (digits.starts_with('+') && !digits.substr(1).starts_with('-')) digits.remove_prefix(1);
  int64_t number = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = result.ptr == digits.data() + digits.size();
  if (result.ec == std::errc() && whole) return number;
  const char* const reason =
      result.ec == std::errc::result_out_of_range && whole ? "value out of range" : "invalid syntax";
  return InvalidArgument("strconv.Atoi: parsing " + GoQuoted(value) + ": " + reason);
}

Result<size_t> ParsePromLimit(std::string_view value) {
  if (value.empty()) return size_t{0};
  VARVE_ASSIGN_OR_RETURN(const int64_t limit, ParseGoAtoi(value));
  if (limit < 0) return InvalidArgument("limit must be non-negative");
  return static_cast<size_t>(limit);
}

Result<PromBounds> ParsePromBounds(const FormParams& params) {
  PromBounds bounds;
  for (const std::string_view name : {"start", "end"}) {
    const std::string_view value = params.Get(name);
    if (value.empty()) continue;
    const Result<UnixTime> time = ParsePromTime(value);
    if (!time.ok()) {
      return InvalidParameter(
          name, "invalid time value for '" + std::string(name) + "': " + time.status().message());
    }
    (name == "start" ? bounds.start_ms : bounds.end_ms) = ToMillis(*time);
  }
  return bounds;
}

Status InvalidParameter(std::string_view name, std::string_view reason) {
  return InvalidArgument("invalid parameter \"" + std::string(name) + "\": " + std::string(reason));
}

std::string UnescapeName(std::string_view name) {
  constexpr std::string_view kPrefix = "U__";
  constexpr size_t kDigitsMax = 5;
  if (!name.starts_with(kPrefix)) return std::string(name);
  const std::string_view escaped = name.substr(kPrefix.size());
  std::string out;
  for (size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] != '_') {
      out.push_back(escaped[i]);
      continue;
    }
    const size_t end = escaped.find('_', i + 1);
    if (end == std::string_view::npos) return std::string(name);
    const std::string_view digits = escaped.substr(i + 1, end - i - 1);
    i = end;
    if (digits.empty()) {
      out.push_back('_');
      continue;
    }
    uint32_t code = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (digits.size() > kDigitsMax || result.ec != std::errc() || result.ptr != digits.data() + digits.size() ||
        surrogate) {
      return std::string(name);
    }
    char bytes[4];
    out.append(bytes, EncodeUtf8(code, bytes));
  }
  return out;
}

}  // namespace varve
