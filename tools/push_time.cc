#include "tools/push_time.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>

#include "engine/base/time.h"

namespace varve {
namespace {

constexpr int64_t kDayNs = 24 * kNsPerHour;
constexpr int64_t kOutOfOrderNs = 2 * kDayNs;
constexpr std::string_view kDirectives = "YymbBhdeHIMSpfzsjaAn%";
constexpr std::array<std::string_view, 12> kMonths = {"january", "february", "march",     "april",   "may",      "june",
                                                      "july",    "august",   "september", "october", "november", "december"};
constexpr std::array<std::string_view, 7> kWeekdays = {"monday", "tuesday",  "wednesday", "thursday",
                                                       "friday", "saturday", "sunday"};

// From `digits_min` to `digits_max` digits off the front.
bool TakeNumber(std::string_view* text, size_t digits_min, size_t digits_max, int* value) {
  size_t n = 0;
  *value = 0;
  while (n < digits_max && n < text->size() && (*text)[n] >= '0' && (*text)[n] <= '9') {
    *value = *value * 10 + ((*text)[n] - '0');
    ++n;
  }
  text->remove_prefix(n);
  return n >= digits_min;
}

bool TakeIn(std::string_view* text, size_t digits_min, size_t digits_max, int least, int most, int* value) {
  return TakeNumber(text, digits_min, digits_max, value) && *value >= least && *value <= most;
}

bool Take(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

void SkipSpace(std::string_view* text) {
  while (!text->empty() && (text->front() == ' ' || text->front() == '\t')) text->remove_prefix(1);
}

bool StartsWithFolded(std::string_view text, std::string_view lower) {
  if (text.size() < lower.size()) return false;
  for (size_t i = 0; i < lower.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

// A name, or its first three letters; -1: none.
template <size_t N>
int TakeName(std::string_view* text, const std::array<std::string_view, N>& names) {
  for (size_t i = 0; i < N; ++i) {
    if (!StartsWithFolded(*text, names[i].substr(0, 3))) continue;
    text->remove_prefix(StartsWithFolded(*text, names[i]) ? names[i].size() : 3);
    return static_cast<int>(i);
  }
  return -1;
}

// The digits of a fraction, as nanoseconds; those past the ninth are dropped.
bool TakeFraction(std::string_view* text, int64_t* ns) {
  int64_t unit = kNsPerSecond;
  size_t n = 0;
  *ns = 0;
  for (; n < text->size() && (*text)[n] >= '0' && (*text)[n] <= '9'; ++n) {
    unit /= 10;
    *ns += unit * ((*text)[n] - '0');
  }
  text->remove_prefix(n);
  return n > 0;
}

bool TakeZone(std::string_view* text, int* seconds_east) {
  *seconds_east = 0;
  if (Take(text, 'Z') || Take(text, 'z')) return true;
  if (StartsWithFolded(*text, "utc") || StartsWithFolded(*text, "gmt")) {
    text->remove_prefix(3);
    return true;
  }
  const int sign = text->starts_with('-') ? -1 : 1;
  int hours = 0;
  int minutes = 0;
  if ((!Take(text, '+') && !Take(text, '-')) || !TakeIn(text, 2, 2, 0, 23, &hours)) return false;
  Take(text, ':');
  if (!text->empty() && text->front() >= '0' && text->front() <= '9' && !TakeIn(text, 2, 2, 0, 59, &minutes)) {
    return false;
  }
  *seconds_east = sign * (hours * 3600 + minutes * 60);
  return true;
}

// Unix time by its size: seconds below 1e11, then ms, us, ns.
bool TakeUnix(std::string_view* text, int64_t* ns) {
  int64_t whole = 0;
  size_t n = 0;
  for (; n < text->size() && (*text)[n] >= '0' && (*text)[n] <= '9'; ++n) {
    if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, (*text)[n] - '0', &whole)) return false;
  }
  if (n == 0) return false;
  text->remove_prefix(n);
  const int64_t unit = n <= 11 ? kNsPerSecond : n <= 14 ? kNsPerMs : n <= 17 ? 1000 : 1;
  if (__builtin_mul_overflow(whole, unit, ns)) return false;
  int64_t fraction_ns = 0;
  if (unit == kNsPerSecond && text->size() > 1 && text->front() == '.' && (*text)[1] >= '0' && (*text)[1] <= '9') {
    text->remove_prefix(1);
    TakeFraction(text, &fraction_ns);
  }
  return !__builtin_add_overflow(*ns, fraction_ns, ns);
}

int64_t DaysSinceEpoch(int year, int month, int day) {
  const int y = month <= 2 ? year - 1 : year;
  const int era = (y >= 0 ? y : y - 399) / 400;
  const int year_of_era = y - era * 400;
  const int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return static_cast<int64_t>(era) * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719468;
}

int YearOf(int64_t t_ns) {
  const time_t seconds = t_ns / kNsPerSecond;
  tm date{};
  gmtime_r(&seconds, &date);
  return date.tm_year + 1900;
}

bool SameCivil(const tm& a, const tm& b) {
  return a.tm_year == b.tm_year && a.tm_mon == b.tm_mon && a.tm_mday == b.tm_mday && a.tm_hour == b.tm_hour &&
         a.tm_min == b.tm_min;
}

}  // namespace

Result<LineTimeFormat> LineTimeFormat::Parse(const std::string& format, const std::string& zone) {
  LineTimeFormat out;
  if (!zone.empty()) {
    const bool name = zone.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") ==
                      std::string::npos;
    if (!name || zone.front() == '/' || access(("/usr/share/zoneinfo/" + zone).c_str(), R_OK) != 0) {
      return InvalidArgument(fmt::format("--time-zone {}: no such time zone on this system", zone));
    }
    setenv("TZ", zone.c_str(), 1);
    tzset();
  }
  const char* tz = std::getenv("TZ");
  out.local_is_utc_ = tz != nullptr && (std::string_view(tz) == "UTC" || std::string_view(tz) == "Etc/UTC");
  if (format == "rfc3339") out.steps_ = {{'r', 0}};
  if (format == "unix") out.steps_ = {{'u', 0}};
  out.priority_ = format == "syslog";
  if (!out.steps_.empty()) return out;
  const std::string text = format == "syslog" ? "%b %e %H:%M:%S" : format;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ' || text[i] == '\t') {
      if (out.steps_.empty() || out.steps_.back().kind != ' ') out.steps_.push_back({' ', 0});
      continue;
    }
    if (text[i] != '%') {
      out.steps_.push_back({'=', text[i]});
      continue;
    }
    const char directive = ++i < text.size() ? text[i] : 0;
    const auto add = [&](std::string_view kinds) {
      for (const char kind : kinds) {
        const bool literal = kind == '-' || kind == ':' || kind == '/';
        out.steps_.push_back(literal ? Step{'=', kind} : Step{kind, 0});
      }
    };
    if (directive == 'F') {
      add("Y-m-d");
    } else if (directive == 'T') {
      add("H:M:S");
    } else if (directive == 'D') {
      add("m/d/y");
    } else if (directive != 0 && kDirectives.find(directive) != std::string_view::npos) {
      out.steps_.push_back({directive, 0});
    } else {
      return InvalidArgument(fmt::format("--timestamp-format {}: no directive %{}", format, directive));
    }
  }
  const bool has_time = std::any_of(out.steps_.begin(), out.steps_.end(),
                                    [](const Step& step) { return step.kind == 's' || step.kind == 'd' || step.kind == 'e' || step.kind == 'j'; });
  if (!has_time) {
    return InvalidArgument(
        fmt::format("--timestamp-format {}: neither rfc3339, syslog, unix nor a format with a date such as \"%Y-%m-%d "
                    "%H:%M:%S\"",
                    format));
  }
  return out;
}

bool LineTimeFormat::ReadStep(const Step& step, std::string_view* text, Fields* f) const {
  switch (step.kind) {
    case '=': return Take(text, step.literal);
    case ' ':
      if (text->empty() || (text->front() != ' ' && text->front() != '\t')) return false;
      SkipSpace(text);
      return true;
    case 'n': SkipSpace(text); return true;
    case '%': return Take(text, '%');
    case 'Y': return TakeIn(text, 4, 4, 1678, 2261, &f->year);
    case 'y':
      if (!TakeNumber(text, 2, 2, &f->year)) return false;
      f->year += f->year < 69 ? 2000 : 1900;
      return true;
    case 'm': return TakeIn(text, 1, 2, 1, 12, &f->month);
    case 'b':
    case 'B':
    case 'h': f->month = TakeName(text, kMonths) + 1; return f->month > 0;
    case 'd':
    case 'e': SkipSpace(text); return TakeIn(text, 1, 2, 1, 31, &f->day);
    case 'j': return TakeIn(text, 1, 3, 1, 366, &f->day_of_year);
    case 'H': return TakeIn(text, 1, 2, 0, 23, &f->hour);
    case 'I': return TakeIn(text, 1, 2, 1, 12, &f->hour);
    case 'M': return TakeIn(text, 2, 2, 0, 59, &f->minute);
    case 'S': return TakeIn(text, 2, 2, 0, 60, &f->second);
    case 'p':
      f->half = StartsWithFolded(*text, "pm") ? 1 : 0;
      if (f->half == 0 && !StartsWithFolded(*text, "am")) return false;
      text->remove_prefix(2);
      return true;
    case 'f': return TakeFraction(text, &f->fraction_ns);
    case 'z': SkipSpace(text); f->has_zone = true; return TakeZone(text, &f->seconds_east);
    case 'a':
    case 'A': return TakeName(text, kWeekdays) >= 0;
    case 's':
    case 'u': {
      int64_t ns = 0;
      if (!TakeUnix(text, &ns)) return false;
      f->epoch_ns = ns;
      return true;
    }
    default: break;
  }
  // rfc3339, generously.
  if (!TakeIn(text, 4, 4, 1678, 2261, &f->year) || !Take(text, '-') || !TakeIn(text, 2, 2, 1, 12, &f->month) ||
      !Take(text, '-') || !TakeIn(text, 2, 2, 1, 31, &f->day)) {
    return false;
  }
  if (!Take(text, 'T') && !Take(text, 't') && !Take(text, ' ')) return false;
  if (!TakeIn(text, 2, 2, 0, 23, &f->hour) || !Take(text, ':') || !TakeIn(text, 2, 2, 0, 59, &f->minute) ||
      !Take(text, ':') || !TakeIn(text, 2, 2, 0, 60, &f->second)) {
    return false;
  }
  if ((Take(text, '.') || Take(text, ',')) && !TakeFraction(text, &f->fraction_ns)) return false;
  std::string_view zone = *text;
  f->has_zone = !zone.empty() && (zone[0] == 'Z' || zone[0] == 'z' || zone[0] == '+' || zone[0] == '-') &&
                TakeZone(&zone, &f->seconds_east);
  if (f->has_zone) *text = zone;
  return true;
}

// The seconds since 1970 of a time in the zone of the process. Of two that read the same, when clocks go back, the
// earlier one.
int64_t LineTimeFormat::LocalSeconds(const Fields& f) {
  const int64_t minute = DaysSinceEpoch(f.year, f.month, f.day) * 1440 + f.hour * 60 + f.minute;
  if (local_is_utc_) return minute * 60 + f.second;
  if (minute != cached_minute_) {
    tm date{};
    date.tm_year = f.year - 1900;
    date.tm_mon = f.month - 1;
    date.tm_mday = f.day;
    date.tm_hour = f.hour;
    date.tm_min = f.minute;
    date.tm_isdst = -1;
    time_t seconds = mktime(&date);
    const time_t earlier = seconds - 3600;
    tm other{};
    localtime_r(&earlier, &other);
    if (SameCivil(date, other)) seconds = earlier;
    cached_minute_ = minute;
    cached_seconds_ = seconds;
  }
  return cached_seconds_ + f.second;
}

std::optional<int64_t> LineTimeFormat::ToNs(const Fields& fields) {
  Fields f = fields;
  if (f.half >= 0) f.hour = f.hour % 12 + 12 * f.half;
  if (f.day_of_year > 0) {
    f.month = 1;
    f.day = 1;
  }
  int64_t seconds = f.has_zone ? DaysSinceEpoch(f.year, f.month, f.day) * 86400 + f.hour * 3600 + f.minute * 60 +
                                     f.second - f.seconds_east
                               : LocalSeconds(f);
  if (f.day_of_year > 0) seconds += (f.day_of_year - 1) * int64_t{86400};
  return seconds * kNsPerSecond + f.fraction_ns;
}

// The latest year that puts the time where it can be.
std::optional<int64_t> LineTimeFormat::WithYear(Fields f, int64_t previous_ns, int64_t now_ns) {
  const int64_t latest_ns = std::max(now_ns, previous_ns) + kDayNs;
  const int last_year = YearOf(latest_ns) + 1;  // the zone may be ahead of UTC
  std::optional<int64_t> found;
  for (f.year = last_year; f.year > last_year - 10; --f.year) {
    const bool leap = (f.year % 4 == 0 && f.year % 100 != 0) || f.year % 400 == 0;
    if (f.month == 2 && f.day == 29 && !leap) continue;
    const std::optional<int64_t> t_ns = ToNs(f);
    if (!t_ns.has_value() || *t_ns > latest_ns) continue;
    if (found.has_value() && *t_ns < previous_ns - kOutOfOrderNs) break;
    found = t_ns;
    if (previous_ns == 0) break;
  }
  return found;
}

std::optional<int64_t> LineTimeFormat::Read(std::string_view text, int64_t previous_ns, int64_t now_ns) {
  if (priority_ && text.starts_with('<')) {
    const size_t end = text.find('>');
    if (end == std::string_view::npos || end > 4) return std::nullopt;
    text.remove_prefix(end + 1);
  }
  Fields fields;
  for (const Step& step : steps_) {
    if (!ReadStep(step, &text, &fields)) return std::nullopt;
  }
  if (int64_t t_ns = 0; fields.epoch_ns.has_value()) {
    if (__builtin_add_overflow(*fields.epoch_ns, fields.fraction_ns, &t_ns)) return std::nullopt;
    return t_ns;
  }
  if (fields.year < 0) return WithYear(fields, previous_ns, now_ns);
  return ToNs(fields);
}

}  // namespace varve
