// Times as Go's time package formats and parses them: a layout is an example, "2006-01-02 15:04:05".
#pragma once

#include <string>
#include <string_view>

#include "query/templates/template_value.h"

namespace varve::templates {

// As Time.String.
inline constexpr std::string_view kTimeStringLayout = "2006-01-02 15:04:05.999999999 -0700 MST";

// Where a layout element starts in a layout, and which it is.
enum class TimeElement : uint8_t {
  kNone,  // the layout's end
  kLongMonth,
  kMonth,
  kNumMonth,
  kZeroMonth,
  kLongWeekday,
  kWeekday,
  kDay,
  kUnderDay,
  kZeroDay,
  kUnderYearDay,
  kZeroYearDay,
  kHour,
  kHour12,
  kZeroHour12,
  kMinute,
  kZeroMinute,
  kSecond,
  kZeroSecond,
  kLongYear,
  kYear,
  kUpperPm,
  kLowerPm,
  kZoneName,
  kIsoZone,
  kIsoSecondsZone,
  kIsoShortZone,
  kIsoColonZone,
  kIsoColonSecondsZone,  // Z for UTC
  kNumZone,
  kNumSecondsZone,
  kNumShortZone,
  kNumColonZone,
  kNumColonSecondsZone,
  kFraction0,  // .000
  kFraction9,  // .999
};

struct LayoutPiece {
  std::string_view literal;  // before the element
  TimeElement element = TimeElement::kNone;
  int digits = 0;         // of a fraction
  char separator = '.';   // of a fraction
  std::string_view rest;  // behind it
};
LayoutPiece NextLayoutPiece(std::string_view layout);

// A date in the proleptic Gregorian calendar and a time of day, without a zone.
struct CivilTime {
  int64_t year = 1;
  int month = 1;  // from 1
  int day = 1;
  int hour = 0, minute = 0, second = 0;
};
int64_t DaysFromCivil(int64_t year, int month, int day);  // since 1970
CivilTime CivilFromSeconds(int64_t seconds);
int64_t SecondsFromCivil(const CivilTime& civil);
int YearDay(const CivilTime& civil);  // from 1
int WeekdayOf(int64_t seconds);       // 0 is Sunday
int DaysIn(int month, int64_t year);

void AppendTime(const TimeValue& time, std::string_view layout, std::string* out);

// As ParseInLocation; null: UTC. False when the text does not fit.
bool ParseTime(std::string_view layout, std::string_view text, const TimeZone* location, TimeValue* time);

// As Duration.String: "1m30.5s".
std::string DurationText(int64_t duration_ns);

// Fills in offset and abbreviation for its location.
void SetZone(TimeValue* time);

// Go's zero time, 0001-01-01 00:00:00 UTC.
inline constexpr int64_t kZeroTimeSeconds = -62135596800;

}  // namespace varve::templates
