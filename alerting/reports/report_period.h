// The stretch of time that one run of a report is about: an hour, day, week (from Monday) or month of its calendar.
// Threads: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "alerting/reports/cron.h"
#include "alerting/reports/local_calendar.h"
#include "engine/base/status.h"

namespace varve {

enum class PeriodUnit : uint8_t { kHour, kDay, kWeek, kMonth };
std::string_view PeriodUnitName(PeriodUnit unit);  // "day"

struct ReportPeriod {
  std::string date;             // of its first day: 2026-11-19; of an hour: 2026-11-19T13
  int64_t begin_s = 0, end_s = 0;  // [begin, end), seconds since 1970

  bool operator==(const ReportPeriod&) const = default;
};

// The period that holds the date (of hours, 2026-11-19T13). kInvalidArgument: it is no date, or an hour that the clock
// skipped.
Result<ReportPeriod> PeriodOf(std::string_view date, PeriodUnit unit, const LocalCalendar& calendar);
// The last one that is over at `utc_s`.
ReportPeriod LastPeriodBefore(int64_t utc_s, PeriodUnit unit, const LocalCalendar& calendar);
// What a report on this schedule is about unless it says so: the longest unit not longer than the time between two runs.
PeriodUnit GuessPeriodUnit(const CronSchedule& schedule);

}  // namespace varve
