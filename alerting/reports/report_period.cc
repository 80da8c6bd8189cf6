#include "alerting/reports/report_period.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace varve {
namespace {

constexpr int64_t kSecondsPerHour = 3600;
constexpr int64_t kSecondsPerDay = 86400;
constexpr int64_t kGuessFromS = 1'704'067'200;  // 2024-01-01
constexpr int kGuessRuns = 64;

int64_t FloorDiv(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

struct LocalPeriod {
  int64_t begin_s, end_s;
};

// The period of the zone's own clock that holds `local_s`.
LocalPeriod LocalPeriodOf(int64_t local_s, PeriodUnit unit) {
  const int64_t days = FloorDiv(local_s, kSecondsPerDay);
  switch (unit) {
    case PeriodUnit::kHour: {
      const int64_t begin = FloorDiv(local_s, kSecondsPerHour) * kSecondsPerHour;
      return {begin, begin + kSecondsPerHour};
    }
    case PeriodUnit::kDay: return {days * kSecondsPerDay, (days + 1) * kSecondsPerDay};
    case PeriodUnit::kWeek: {
      const int64_t monday = days - (WeekdayOfDays(days) + 6) % 7;
      return {monday * kSecondsPerDay, (monday + 7) * kSecondsPerDay};
    }
    case PeriodUnit::kMonth: break;
  }
  const CivilDate date = DateOfDays(days);
  const int64_t first = DaysOf({date.year, date.month, 1});
  return {first * kSecondsPerDay, (first + DaysInMonth(date.year, date.month)) * kSecondsPerDay};
}

ReportPeriod ToPeriod(const LocalPeriod& local, PeriodUnit unit, const LocalCalendar& calendar) {
  const int64_t days = FloorDiv(local.begin_s, kSecondsPerDay);
  const CivilDate date = DateOfDays(days);
  ReportPeriod period;
  period.date = fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
  if (unit == PeriodUnit::kHour) {
    period.date += fmt::format("T{:02}", (local.begin_s - days * kSecondsPerDay) / kSecondsPerHour);
  }
  period.begin_s = calendar.UtcOf(local.begin_s);
  period.end_s = calendar.UtcOf(local.end_s);
  return period;
}

std::optional<int> Digits(std::string_view text, size_t at, size_t count) {
  int value = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

std::string_view PeriodUnitName(PeriodUnit unit) {
  constexpr std::string_view kNames[] = {"hour", "day", "week", "month"};
  return kNames[static_cast<size_t>(unit)];
}

Result<ReportPeriod> PeriodOf(std::string_view date, PeriodUnit unit, const LocalCalendar& calendar) {
  const bool hours = unit == PeriodUnit::kHour;
  const auto wrong = [&] {
    return InvalidArgument(fmt::format("\"{}\" is not a date like {}", date.substr(0, 40),
                                       hours ? "2026-11-19T13 (the report is hourly)" : "2026-11-19"));
  };
  const std::optional<int> year = Digits(date, 0, 4);
  const std::optional<int> month = Digits(date, 5, 2);
  const std::optional<int> day = Digits(date, 8, 2);
  if (!year || !month || !day || date[4] != '-' || date[7] != '-') return wrong();
  if (*year < 1970 || *month < 1 || *month > 12 || *day < 1 || *day > DaysInMonth(*year, *month)) return wrong();
  int64_t local_s = DaysOf({*year, *month, *day}) * kSecondsPerDay;
  if (hours) {
    const std::optional<int> hour = Digits(date, 11, 2);
    if (!hour || *hour > 23 || date[10] != 'T' || date.size() != 13) return wrong();
    local_s += *hour * kSecondsPerHour;
  } else if (date.size() != 10) {
    return wrong();
  }
  ReportPeriod period = ToPeriod(LocalPeriodOf(local_s, unit), unit, calendar);
  if (period.begin_s >= period.end_s) {
    return InvalidArgument(fmt::format("{} is skipped by the clocks of {}", period.date, calendar.zone()));
  }
  return period;
}

ReportPeriod LastPeriodBefore(int64_t utc_s, PeriodUnit unit, const LocalCalendar& calendar) {
  LocalPeriod local = LocalPeriodOf(calendar.LocalOf(utc_s), unit);
  while (true) {
    const ReportPeriod period = ToPeriod(local, unit, calendar);
    if (period.end_s <= utc_s && period.begin_s < period.end_s) return period;
    local = LocalPeriodOf(local.begin_s - 1, unit);
  }
}

PeriodUnit GuessPeriodUnit(const CronSchedule& schedule) {
  const LocalCalendar utc = LocalCalendar::Utc();
  int64_t shortest = INT64_MAX;
  int64_t at = schedule.Next(kGuessFromS, utc);
  for (int i = 0; i < kGuessRuns; ++i) {
    const int64_t next = schedule.Next(at, utc);
    shortest = std::min(shortest, next - at);
    at = next;
  }
  if (shortest >= 28 * kSecondsPerDay) return PeriodUnit::kMonth;
  if (shortest >= 7 * kSecondsPerDay) return PeriodUnit::kWeek;
  return shortest >= kSecondsPerDay ? PeriodUnit::kDay : PeriodUnit::kHour;
}

}  // namespace varve
