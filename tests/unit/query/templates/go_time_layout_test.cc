#include "query/templates/go_time_layout.h"

#include <gtest/gtest.h>

#include "query/templates/time_zone.h"

namespace varve::templates {
namespace {

std::string Format(int64_t seconds, int32_t nanoseconds, const std::string& layout,
                   const TimeZone* zone = nullptr) {
  TimeValue time;
  time.seconds = seconds;
  time.nanoseconds = nanoseconds;
  time.location = zone;
  SetZone(&time);
  std::string out;
  AppendTime(time, layout, &out);
  return out;
}

TEST(TimeLayout, FormatsEveryElement) {
  const int64_t seconds = 1793538003;  // 2026-11-01 13:00:03 UTC, a Sunday
  const struct {
    const char* layout;
    const char* text;
  } kCases[] = {{"2006-01-02T15:04:05Z07:00", "2026-11-01T13:00:03Z"},
                {"Monday, 02-Jan-06 15:04:05 MST", "Sunday, 01-Nov-26 13:00:03 UTC"},
                {"January _2 2 02 002 __2", "November  1 1 01 305 305"},
                {"3 03 4 04 5 05 PM pm", "1 01 0 00 3 03 PM pm"},
                {"1 01 Jan Mon", "11 11 Nov Sun"},
                {".000 .000000 .999 ,999999999", ".012 .012340 .012 ,01234"},
                {"05.000000000", "03.012340000"},
                {"-0700 -07:00 -07 Z0700 Z07", "+0000 +00:00 +00 Z Z"},
                {"Month Janet Mondays", "Month Janet Sundays"},
                {"_2006 x", "_2026 x"},
                {"plain", "plain"}};
  for (const auto& c : kCases) EXPECT_EQ(Format(seconds, 12'340'000, c.layout), c.text) << c.layout;
  EXPECT_EQ(Format(kZeroTimeSeconds, 0, "2006-01-02 15:04:05"), "0001-01-01 00:00:00");
  EXPECT_EQ(Format(-1, 0, "2006-01-02 15:04:05"), "1969-12-31 23:59:59");
}

TEST(TimeLayout, FormatsInZones) {
  const TimeZone* zone = TimeZone::Load("America/New_York");
  if (zone == nullptr) GTEST_SKIP() << "no time zone database here";
  EXPECT_EQ(Format(1793505600, 0, "15:04 MST -0700 Z07:00", zone), "00:00 EDT -0400 -04:00");
  EXPECT_EQ(Format(1793538003, 0, "15:04 MST", zone), "08:00 EST");
}

TEST(TimeLayout, Parses) {
  const struct {
    const char* layout;
    const char* text;
    int64_t seconds;
    int32_t nanoseconds;
  } kCases[] = {{"2006-01-02T15:04:05Z07:00", "2026-11-01T01:00:00Z", 1793494800, 0},
                {"2006-01-02T15:04:05Z07:00", "2026-11-01T03:00:00+02:00", 1793494800, 0},
                {"2006-01-02T15:04:05Z07:00", "2026-11-01T01:00:00.25Z", 1793494800, 250'000'000},
                {"2006-01-02 15:04:05.000", "2026-11-01 01:00:00.123", 1793494800, 123'000'000},
                {"2006-01-02 15:04:05.999", "2026-11-01 01:00:00", 1793494800, 0},
                {"Jan _2 2006 3:04pm", "nov  1 2026 1:00am", 1793494800, 0},
                {"Mon, 02 Jan 06 15:04 MST", "Sun, 01 Nov 26 01:00 UTC", 1793494800, 0},
                {"02/Jan/2006:15:04:05 -0700", "01/Nov/2026:03:00:00 +0200", 1793494800, 0},
                {"2006 002", "2026 305", 1793491200, 0},
                {"2006-1-2", "2026-11-1", 1793491200, 0},
                {"2006-01-02 MST", "2026-11-01 GMT+3", 1793480400, 0}};
  for (const auto& c : kCases) {
    TimeValue time;
    EXPECT_TRUE(ParseTime(c.layout, c.text, nullptr, &time)) << c.layout << " of " << c.text;
    EXPECT_EQ(time.seconds, c.seconds) << c.text;
    EXPECT_EQ(time.nanoseconds, c.nanoseconds) << c.text;
  }
}

TEST(TimeLayout, RefusesWhatDoesNotFit) {
  const struct {
    const char* layout;
    const char* text;
  } kCases[] = {{"2006-01-02", "2026-11-01x"},
                {"2006-01-02", "2026-13-01"},
                {"2006-01-02", "2026-02-30"},
                {"2006-01-02", "2026-1-01"},
                {"15:04", "24:00"},
                {"15:04", "12:60"},
                {"2006", "26"},
                {"Jan", "Foo"},
                {"-0700", "0200"},
                {"05.000", "01.12"},
                {"2006-01-02 15", "2026-01-02"},
                {"002", "999"}};
  for (const auto& c : kCases) {
    TimeValue time;
    EXPECT_FALSE(ParseTime(c.layout, c.text, nullptr, &time)) << c.layout << " of " << c.text;
  }
}

TEST(TimeLayout, CivilDaysLeadThereAndBack) {
  for (int64_t day = -800'000; day < 800'000; day += 97) {
    const CivilTime civil = CivilFromSeconds(day * 86400 + 3661);
    ASSERT_EQ(DaysFromCivil(civil.year, civil.month, civil.day), day);
    ASSERT_EQ(SecondsFromCivil(civil), day * 86400 + 3661);
  }
}

TEST(TimeLayout, WritesDurations) {
  EXPECT_EQ(DurationText(0), "0s");
  EXPECT_EQ(DurationText(90'500'000'000), "1m30.5s");
  EXPECT_EQ(DurationText(-3'600'000'000'000), "-1h0m0s");
  EXPECT_EQ(DurationText(1'500'000), "1.5ms");
  EXPECT_EQ(DurationText(1), "1ns");
  EXPECT_EQ(DurationText(1'100), "1.1\xC2\xB5s");
}

}  // namespace
}  // namespace varve::templates
