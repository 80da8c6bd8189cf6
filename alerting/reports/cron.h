// When something is due, as cron writes it: "0 9 * * 1-5".
//
// Minute, hour, day of the month, month, day of the week: numbers, names (jan…, sun…), ranges a-b, steps */n and a-b/n,
// lists a,b. Sunday is 0 and 7. As in cron, a day is meant that either of the two day fields names when both are
// restricted, that is, do not begin with a star. Also @hourly, @daily (@midnight), @weekly, @monthly, @yearly (@annually).
// What lies in the hour that summer time skips is due once, the moment the clock has skipped it; what lies in the hour
// that comes twice is due once, the first time.
// Threads: values.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>

#include "alerting/reports/local_calendar.h"
#include "engine/base/status.h"

namespace varve {

class CronSchedule {
 public:
  CronSchedule();  // every minute
  // kInvalidArgument names the field: `schedule "0 9 30 2 *" never comes: no month in "2" has a day 30`.
  static Result<CronSchedule> Parse(std::string_view text);

  // The first time after `utc_s`, in seconds since 1970.
  int64_t Next(int64_t utc_s, const LocalCalendar& calendar) const;
  const std::string& text() const { return text_; }

 private:
  bool HasDay(int64_t days) const;
  Status CheckThatItComes() const;

  std::string text_;
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;    // of the month, from 1
  std::bitset<13> months_;  // from 1
  std::bitset<7> weekdays_;
  bool any_day_ = false;      // the field begins with a star
  bool any_weekday_ = false;
};

}  // namespace varve
