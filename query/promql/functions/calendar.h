// Dates and times of day of Unix seconds, in UTC, as PromQL's calendar functions see them.
//
// Seconds that fit no int64 (NaN, infinities) become what Prometheus makes of them: a day in the year 292277026596.
// Threads: pure functions.
#pragma once

#include <cstdint>

namespace varve::promql {

struct CivilDate {
  int64_t year = 1970;
  int month = 1;
  int day = 1;
  int day_of_year = 1;
  int day_of_week = 4;  // 0: Sunday
  int days_in_month = 31;
};

struct CivilTime {
  int64_t day = 0;  // since 1970-01-01
  int hour = 0;
  int minute = 0;
};

CivilTime SplitUnixSeconds(double seconds);
CivilDate DateOfDay(int64_t day);

}  // namespace varve::promql
