#include "alerting/notify/time_intervals.h"

#include <algorithm>
#include <chrono>

#include "query/templates/time_zone.h"

namespace varve {
namespace {

struct LocalTime {
  int32_t year = 0, month = 0, day = 0, weekday = 0, minute = 0;
  int32_t days_in_month = 0;
};

LocalTime ToLocal(int64_t now_ms, const std::string& location) {
  int64_t seconds = now_ms / 1000 - (now_ms % 1000 < 0 ? 1 : 0);
  // The configuration was refused if there were no such zone; should its file be gone since, UTC stands in.
  const templates::TimeZone* zone = location.empty() ? nullptr : templates::TimeZone::Load(location);
  if (zone != nullptr) seconds += zone->At(seconds).offset_seconds;
  const auto since = std::chrono::sys_seconds(std::chrono::seconds(seconds));
  const auto day = std::chrono::floor<std::chrono::days>(since);
  const std::chrono::year_month_day date(day);
  const std::chrono::year_month_day_last last(date.year(), std::chrono::month_day_last(date.month()));
  LocalTime local;
  local.year = static_cast<int32_t>(static_cast<int>(date.year()));
  local.month = static_cast<int32_t>(static_cast<unsigned>(date.month()));
  local.day = static_cast<int32_t>(static_cast<unsigned>(date.day()));
  local.days_in_month = static_cast<int32_t>(static_cast<unsigned>(last.day()));
  local.weekday = static_cast<int32_t>(std::chrono::weekday(day).c_encoding());
  local.minute = static_cast<int32_t>(std::chrono::duration_cast<std::chrono::minutes>(since - day).count());
  return local;
}

// No ranges: any value will do.
bool InAny(const std::vector<TimeInterval::Range>& ranges, int32_t value) {
  return ranges.empty() || std::any_of(ranges.begin(), ranges.end(), [value](const TimeInterval::Range& range) {
           return value >= range.begin && value <= range.end;
         });
}

bool InMinutes(const std::vector<TimeInterval::Range>& ranges, int32_t minute) {
  return ranges.empty() || std::any_of(ranges.begin(), ranges.end(), [minute](const TimeInterval::Range& range) {
           return minute >= range.begin && minute < range.end;
         });
}

bool InDays(const std::vector<TimeInterval::Range>& ranges, const LocalTime& local) {
  const int32_t days = local.days_in_month;
  return ranges.empty() || std::any_of(ranges.begin(), ranges.end(), [&](const TimeInterval::Range& range) {
           const int32_t begin = range.begin < 0 ? days + range.begin + 1 : range.begin;
           const int32_t end = range.end < 0 ? days + range.end + 1 : range.end;
           // A range that begins after the month's end is not in this month; one that ends after it ends with it.
           return begin <= days && local.day >= begin && local.day <= std::min(end, days);
         });
}

}  // namespace

bool Contains(const TimeInterval& interval, int64_t now_ms) {
  const LocalTime local = ToLocal(now_ms, interval.location);
  return InMinutes(interval.minutes, local.minute) && InDays(interval.days_of_month, local) &&
         InAny(interval.months, local.month) && InAny(interval.weekdays, local.weekday) &&
         InAny(interval.years, local.year);
}

TimeIntervals::TimeIntervals(const std::vector<NamedTimeInterval>& intervals) {
  for (const NamedTimeInterval& named : intervals) by_name_[named.name] = named.intervals;
}

std::vector<std::string> TimeIntervals::Containing(const std::vector<std::string>& names, int64_t now_ms) const {
  std::vector<std::string> found;
  for (const std::string& name : names) {
    const auto at = by_name_.find(name);
    if (at == by_name_.end()) continue;
    const auto contains = [now_ms](const TimeInterval& interval) { return Contains(interval, now_ms); };
    if (std::any_of(at->second.begin(), at->second.end(), contains)) found.push_back(name);
  }
  return found;
}

std::vector<std::string> TimeIntervals::Muting(const std::vector<std::string>& mute,
                                               const std::vector<std::string>& active, int64_t now_ms) const {
  if (!active.empty() && Containing(active, now_ms).empty()) return active;
  return Containing(mute, now_ms);
}

}  // namespace varve
