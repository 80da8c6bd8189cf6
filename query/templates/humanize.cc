#include "query/templates/humanize.h"

#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "query/logql/values/duration.h"
#include "query/logql/values/number.h"
#include "query/templates/go_format.h"
#include "query/templates/template_text.h"
#include "query/templates/value_methods.h"

namespace varve::templates {
namespace {

constexpr std::array<std::string_view, 8> kLarge = {"k", "M", "G", "T", "P", "E", "Z", "Y"};
constexpr std::array<std::string_view, 8> kLargeBinary = {"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"};
constexpr std::array<std::string_view, 8> kSmall = {"m", "u", "n", "p", "f", "a", "z", "y"};

std::string FourDigits(double value) {
  std::string out;
  const TemplateValue shown = TemplateValue::Float64(value);
  AppendGoFormat("%.4g", {&shown, 1}, &out);
  return out;
}

std::string Divided(double value, double step, std::span<const std::string_view> prefixes) {
  std::string_view prefix;
  for (const std::string_view next : prefixes) {
    if (std::fabs(value) < step) break;
    prefix = next;
    value /= step;
  }
  return FourDigits(value) + std::string(prefix);
}

std::string Multiplied(double value) {
  std::string_view prefix;
  for (const std::string_view next : kSmall) {
    if (std::fabs(value) >= 1) break;
    prefix = next;
    value *= 1000;
  }
  return FourDigits(value) + std::string(prefix);
}

}  // namespace

bool ConvertToFloat(const TemplateValue& value, double* number, std::string* error) {
  if (value.type == ValueType::kFloat64) {
    *number = value.number;
  } else if (value.type == ValueType::kString) {
    return logql::ParseGoFloat(value.text, number, error);
  } else if (value.type == ValueType::kInt || value.type == ValueType::kInt64) {
    *number = static_cast<double>(value.integer);
  } else if (value.type == ValueType::kDuration) {
    *number = logql::DurationSeconds(value.integer);
  } else {
    *error = "can't convert " + std::string(TemplateTypeName(value)) + " to float";
    return false;
  }
  return true;
}

std::string Humanize(double value) {
  if (value == 0 || !std::isfinite(value)) return FourDigits(value);
  return std::fabs(value) >= 1 ? Divided(value, 1000, kLarge) : Multiplied(value);
}

std::string Humanize1024(double value) {
  if (std::fabs(value) <= 1 || !std::isfinite(value)) return FourDigits(value);
  return Divided(value, 1024, kLargeBinary);
}

std::string HumanizePercentage(double ratio) { return FourDigits(ratio * 100) + "%"; }

std::string HumanizeDuration(double seconds) {
  if (!std::isfinite(seconds)) return FourDigits(seconds);
  if (seconds == 0) return FourDigits(seconds) + "s";
  if (std::fabs(seconds) < 1) return Multiplied(seconds) + "s";
  const std::string sign = seconds < 0 ? "-" : "";
  seconds = std::fabs(seconds);
  // What Go does on amd64 for what does not fit.
  const int64_t whole =
      seconds < 9.2233720368547748e18 ? static_cast<int64_t>(seconds) : std::numeric_limits<int64_t>::min();
  const auto part = [](int64_t count, const char* unit) { return std::to_string(count) + unit; };
  const int64_t days = whole / 86400;
  const int64_t hours = whole / 3600 % 24;
  const int64_t minutes = whole / 60 % 60;
  const std::string tail = part(minutes, "m ") + part(whole % 60, "s");
  if (days != 0) return sign + part(days, "d ") + part(hours, "h ") + tail;
  if (hours != 0) return sign + part(hours, "h ") + tail;
  if (minutes != 0) return sign + tail;
  return sign + FourDigits(seconds) + "s";
}

bool TimeOfSeconds(double seconds, TimeValue* time, std::string* error) {
  if (!std::isfinite(seconds)) {
    *error = "value is NaN or Inf";
    return false;
  }
  const double nanoseconds = seconds * 1e9;
  // Prometheus compares with MaxInt64 as a float, which is 2^63.
  if (nanoseconds >= 9223372036854775808.0 || nanoseconds < -9223372036854775808.0) {
    AppendGoFloat(seconds, error);
    *error += " cannot be represented as a nanoseconds timestamp since it overflows int64";
    return false;
  }
  const auto whole_ns = static_cast<int64_t>(nanoseconds);
  *time = TimeFromUnixNs(whole_ns / 1'000'000 * 1'000'000);
  return true;
}

bool ParsePrometheusDuration(std::string_view text, int64_t* duration_ns, std::string* error) {
  struct Unit {
    std::string_view name;
    int64_t milliseconds;
  };
  static constexpr std::array<Unit, 7> kUnits = {{{"y", 31'536'000'000},
                                                  {"w", 604'800'000},
                                                  {"d", 86'400'000},
                                                  {"h", 3'600'000},
                                                  {"m", 60'000},
                                                  {"s", 1'000},
                                                  {"ms", 1}}};
  const bool negative = text.starts_with('-');
  const std::string_view whole = text.substr(negative ? 1 : 0);
  if (whole.empty()) {
    *error = "empty duration string";
    return false;
  }
  if (whole == "0") {
    *duration_ns = 0;
    return true;
  }
  const auto invalid = [&] {
    *error = "not a valid duration string: ";
    AppendQuotedGo(whole, false, '"', error);
    return false;
  };
  std::string_view rest = whole;
  size_t next = 0;  // the largest unit that may still come
  __int128 total = 0;
  while (!rest.empty()) {
    __int128 count = 0;
    size_t digits = 0;
    for (; digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9'; ++digits) {
      count = count * 10 + (rest[digits] - '0');
      if (count > std::numeric_limits<int64_t>::max()) {
        *error = "duration out of range";
        return false;
      }
    }
    rest.remove_prefix(digits);
    const size_t letters = std::min(rest.find_first_of("0123456789"), rest.size());
    const std::string_view name = rest.substr(0, letters);
    while (next < kUnits.size() && kUnits[next].name != name) ++next;
    if (digits == 0 || next == kUnits.size()) return invalid();
    total += count * kUnits[next++].milliseconds;
    rest.remove_prefix(letters);
    if (total * 1'000'000 > std::numeric_limits<int64_t>::max()) {
      *error = "duration out of range";
      return false;
    }
  }
  *duration_ns = static_cast<int64_t>(total) * 1'000'000 * (negative ? -1 : 1);
  return true;
}

}  // namespace varve::templates
