#include "alerting/reports/local_calendar.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "query/templates/go_time_layout.h"
#include "query/templates/time_zone.h"

namespace varve {
namespace {

constexpr int64_t kSecondsPerDay = 86400;

int64_t FloorDiv(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

}  // namespace

int64_t DaysOf(const CivilDate& date) { return templates::DaysFromCivil(date.year, date.month, date.day); }

CivilDate DateOfDays(int64_t days) {
  const templates::CivilTime civil = templates::CivilFromSeconds(days * kSecondsPerDay);
  return {civil.year, civil.month, civil.day};
}

int WeekdayOfDays(int64_t days) { return templates::WeekdayOf(days * kSecondsPerDay); }

int DaysInMonth(int64_t year, int month) { return templates::DaysIn(month, year); }

Result<LocalCalendar> LocalCalendar::Load(std::string_view zone) {
  if (zone.empty() || zone == "UTC") return Utc();
  const templates::TimeZone* rules = templates::TimeZone::Load(zone);
  if (rules == nullptr) return InvalidArgument(fmt::format("time zone \"{}\" does not exist", zone));
  return LocalCalendar(std::string(zone), rules);
}

int64_t LocalCalendar::OffsetAt(int64_t utc_s) const {
  return rules_ == nullptr ? 0 : rules_->At(utc_s).offset_seconds;
}

int64_t LocalCalendar::LocalOf(int64_t utc_s) const { return utc_s + OffsetAt(utc_s); }

int64_t LocalCalendar::UtcOf(int64_t local_s) const {
  if (rules_ == nullptr) return local_s;
  // No zone is a day or more off UTC, so that these two are surely before and behind it; a change of the clock in
  // between makes them differ.
  const int64_t before = OffsetAt(local_s - kSecondsPerDay);
  const int64_t behind = OffsetAt(local_s + kSecondsPerDay);
  const int64_t first = local_s - std::max(before, behind);
  const int64_t second = local_s - std::min(before, behind);
  if (LocalOf(first) == local_s) return first;
  if (LocalOf(second) == local_s) return second;
  return rules_->At(second).begin;
}

std::string LocalCalendar::Rfc3339(int64_t utc_s) const {
  const int64_t offset = OffsetAt(utc_s);
  const int64_t local = utc_s + offset;
  const int64_t days = FloorDiv(local, kSecondsPerDay);
  const int64_t second = local - days * kSecondsPerDay;
  const CivilDate date = DateOfDays(days);
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", date.year, date.month, date.day, second / 3600,
                                 second / 60 % 60, second % 60);
  if (offset == 0) return text + "Z";
  const int64_t minutes = std::abs(offset) / 60;
  return text + fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

}  // namespace varve
