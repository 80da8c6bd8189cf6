// Clocks and calendars in a time zone: what a schedule and a report's day are told in.
//
// Local seconds count from 1970-01-01 00:00 of the zone's own clock, as if that clock were UTC.
// Threads: immutable once loaded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/status.h"

namespace varve {
namespace templates {
class TimeZone;
}

struct CivilDate {
  int64_t year = 1970;
  int month = 1, day = 1;  // from 1
  bool operator==(const CivilDate&) const = default;
};
int64_t DaysOf(const CivilDate& date);  // since 1970
CivilDate DateOfDays(int64_t days);
int WeekdayOfDays(int64_t days);  // 0 is Sunday
int DaysInMonth(int64_t year, int month);

class LocalCalendar {
 public:
  static LocalCalendar Utc() { return LocalCalendar("UTC", nullptr); }
  // kInvalidArgument: there is no such zone. Empty means UTC.
  static Result<LocalCalendar> Load(std::string_view zone);

  int64_t LocalOf(int64_t utc_s) const;
  // The moment at which the zone's clock shows this for the first time. A time that the clock skips is the moment at
  // which it skips it. Never decreases as local_s grows.
  int64_t UtcOf(int64_t local_s) const;
  // 2026-11-20T09:00:00+09:00
  std::string Rfc3339(int64_t utc_s) const;
  const std::string& zone() const { return zone_; }

 private:
  LocalCalendar(std::string zone, const templates::TimeZone* rules) : zone_(std::move(zone)), rules_(rules) {}
  int64_t OffsetAt(int64_t utc_s) const;

  std::string zone_;
  const templates::TimeZone* rules_;  // null: UTC; lives until the process ends
};

}  // namespace varve
