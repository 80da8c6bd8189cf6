#include "query/promql/functions/calendar.h"

#include <array>
#include <cmath>

namespace varve::promql {
namespace {

constexpr int64_t kDaySeconds = 86400;
// Prometheus counts time from a first January 292 billion years ago; what lies before it wraps around.
constexpr int64_t kFirstDay = -106751991073094;  // days before 1970
constexpr uint64_t kFirstSecond = static_cast<uint64_t>(-kFirstDay) * static_cast<uint64_t>(kDaySeconds);

bool IsLeapYear(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int DaysInMonth(int64_t year, int month) {
  constexpr std::array kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeapYear(year) ? 29 : kDays[static_cast<size_t>(month - 1)];
}

// Truncated; what does not fit is the least there is, as amd64's conversion has it.
int64_t ToInt64(double value) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (!(value >= -kLimit && value < kLimit)) return INT64_MIN;
  return static_cast<int64_t>(value);
}

}  // namespace

CivilTime SplitUnixSeconds(double seconds) {
  const uint64_t absolute = static_cast<uint64_t>(ToInt64(seconds)) + kFirstSecond;
  const auto second = static_cast<int>(absolute % static_cast<uint64_t>(kDaySeconds));
  const auto day = static_cast<int64_t>(absolute / static_cast<uint64_t>(kDaySeconds)) + kFirstDay;
  return {day, second / 3600, second % 3600 / 60};
}

CivilDate DateOfDay(int64_t day) {
  // In eras of 400 years that begin with a March, so that the leap day ends a year.
  const int64_t from_march = day + 719468;
  const int64_t era = (from_march >= 0 ? from_march : from_march - 146096) / 146097;
  const auto of_era = static_cast<int>(from_march - era * 146097);
  const int year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const int of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int shifted_month = (5 * of_year + 2) / 153;
  CivilDate out;
  out.day = of_year - (153 * shifted_month + 2) / 5 + 1;
  out.month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  out.year = year_of_era + era * 400 + (out.month <= 2 ? 1 : 0);
  out.days_in_month = DaysInMonth(out.year, out.month);
  out.day_of_year = out.day;
  for (int month = 1; month < out.month; ++month) out.day_of_year += DaysInMonth(out.year, month);
  out.day_of_week = static_cast<int>(((day % 7) + 11) % 7);
  return out;
}

}  // namespace varve::promql
