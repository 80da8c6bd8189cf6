#include "tools/time_text.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <ctime>

#include "engine/base/time.h"
#include "tools/units.h"

namespace varve {
namespace {

// Takes exactly `digits` digits off the front.
bool TakeDigits(std::string_view* text, size_t digits, int* value) {
  if (text->size() < digits) return false;
  *value = 0;
  for (size_t i = 0; i < digits; ++i) {
    const char c = (*text)[i];
    if (c < '0' || c > '9') return false;
    *value = *value * 10 + (c - '0');
  }
  text->remove_prefix(digits);
  return true;
}

bool TakeChar(std::string_view* text, char c) {
  if (!text->starts_with(c)) return false;
  text->remove_prefix(1);
  return true;
}

// ".250" as nanoseconds; 0 when there is no fraction. Digits past the ninth are dropped.
bool TakeFraction(std::string_view* text, int64_t* ns) {
  *ns = 0;
  if (!TakeChar(text, '.')) return true;
  int64_t unit = kNsPerSecond;
  size_t digits = 0;
  while (!text->empty() && text->front() >= '0' && text->front() <= '9') {
    unit /= 10;
    *ns += unit * (text->front() - '0');
    text->remove_prefix(1);
    ++digits;
  }
  return digits > 0;
}

// "Z", "+01:00", "-0730" as seconds east of UTC.
bool TakeZone(std::string_view* text, int* seconds_east) {
  *seconds_east = 0;
  if (TakeChar(text, 'Z') || TakeChar(text, 'z')) return true;
  const int sign = text->starts_with('-') ? -1 : 1;
  if (!TakeChar(text, '+') && !TakeChar(text, '-')) return false;
  int hours = 0;
  int minutes = 0;
  if (!TakeDigits(text, 2, &hours)) return false;
  TakeChar(text, ':');
  if (!TakeDigits(text, 2, &minutes)) return false;
  *seconds_east = sign * (hours * 3600 + minutes * 60);
  return true;
}

bool ParseCalendarTime(std::string_view text, int64_t* t_ns) {
  tm date{};
  int year = 0;
  int month = 0;
  if (!TakeDigits(&text, 4, &year) || !TakeChar(&text, '-') || !TakeDigits(&text, 2, &month) ||
      !TakeChar(&text, '-') || !TakeDigits(&text, 2, &date.tm_mday)) {
    return false;
  }
  if (month < 1 || month > 12 || date.tm_mday < 1 || date.tm_mday > 31) return false;
  date.tm_year = year - 1900;
  date.tm_mon = month - 1;
  date.tm_isdst = -1;
  int64_t fraction_ns = 0;
  bool has_zone = false;
  int seconds_east = 0;
  if (!text.empty()) {
    if (!TakeChar(&text, 'T') && !TakeChar(&text, ' ')) return false;
    if (!TakeDigits(&text, 2, &date.tm_hour) || !TakeChar(&text, ':') ||
        !TakeDigits(&text, 2, &date.tm_min)) {
      return false;
    }
    if (TakeChar(&text, ':') && (!TakeDigits(&text, 2, &date.tm_sec) || !TakeFraction(&text, &fraction_ns))) {
      return false;
    }
    if (date.tm_hour > 23 || date.tm_min > 59 || date.tm_sec > 60) return false;
    if (!text.empty()) {
      has_zone = TakeZone(&text, &seconds_east);
      if (!has_zone || !text.empty()) return false;
    }
  }
  const time_t seconds = has_zone ? timegm(&date) - seconds_east : mktime(&date);
  // Nanoseconds since 1970 fit an int64 from 1678 to 2261.
  if (seconds < -9'000'000'000 || seconds > 9'000'000'000) return false;
  *t_ns = seconds * kNsPerSecond + fraction_ns;
  return true;
}

// Unix time by its size: seconds below 1e11 (year 5138), then ms, us, ns.
bool ParseUnixTime(std::string_view text, int64_t* t_ns) {
  const char* end = text.data() + text.size();
  int64_t whole = 0;
  const auto [after, error] = std::from_chars(text.data(), end, whole);
  if (error != std::errc() || whole < 0) return false;
  if (after != end) {
    double seconds = 0;
    const auto [stop, failed] = std::from_chars(text.data(), end, seconds, std::chars_format::fixed);
    if (failed != std::errc() || stop != end || seconds >= 9e9) return false;
    *t_ns = std::llround(seconds * 1e3) * kNsPerMs;
    return true;
  }
  const int64_t unit = whole < 100'000'000'000           ? kNsPerSecond
                       : whole < 100'000'000'000'000     ? kNsPerMs
                       : whole < 100'000'000'000'000'000 ? 1000
                                                         : 1;
  return !__builtin_mul_overflow(whole, unit, t_ns);
}

}  // namespace

Result<int64_t> ParseTime(std::string_view text, int64_t now_ns) {
  if (text == "now") return now_ns;
  if (text.starts_with('-')) {
    if (auto before = ParseDuration(text); before.ok()) return now_ns + *before;
  }
  int64_t t_ns = 0;
  if (ParseCalendarTime(text, &t_ns) || ParseUnixTime(text, &t_ns)) return t_ns;
  return InvalidArgument(
      fmt::format("\"{}\" is not a time such as 2026-11-01T06:30:00Z, \"2026-11-01 06:30\", -15m or "
                  "1793514600",
                  text));
}

namespace {

std::string FormatCalendar(const tm& date) {
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", date.tm_year + 1900, date.tm_mon + 1,
                     date.tm_mday, date.tm_hour, date.tm_min, date.tm_sec);
}

// Whole seconds rounded down, and what is left, also before 1970.
void SplitSeconds(int64_t t_ns, time_t* seconds, int64_t* rest_ns) {
  *seconds = t_ns / kNsPerSecond;
  *rest_ns = t_ns % kNsPerSecond;
  if (*rest_ns < 0) {
    *rest_ns += kNsPerSecond;
    --*seconds;
  }
}

}  // namespace

std::string FormatLocalTime(int64_t t_ns) {
  time_t seconds = 0;
  int64_t rest_ns = 0;
  SplitSeconds(t_ns, &seconds, &rest_ns);
  tm date{};
  localtime_r(&seconds, &date);
  return fmt::format("{}.{:03}", FormatCalendar(date), rest_ns / kNsPerMs);
}

std::string FormatUtcTime(int64_t t_ns) {
  time_t seconds = 0;
  int64_t rest_ns = 0;
  SplitSeconds(t_ns, &seconds, &rest_ns);
  tm date{};
  gmtime_r(&seconds, &date);
  std::string text = FormatCalendar(date);
  text[10] = 'T';
  return fmt::format("{}.{:09}Z", text, rest_ns);
}

}  // namespace varve
