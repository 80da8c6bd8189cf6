#include "alerting/reports/report_period.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/rfc3339.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

int64_t Utc(const char* text) { return ParseRfc3339(text)->seconds; }
LocalCalendar Zone(const char* name) { return *LocalCalendar::Load(name); }
ReportPeriod Period(const char* date, const char* begin, const char* end) { return {date, Utc(begin), Utc(end)}; }

TEST(ReportPeriod, IsTheOneThatHoldsTheDate) {
  EXPECT_EQ(*PeriodOf("2026-11-19", PeriodUnit::kDay, Zone("Asia/Seoul")),
            Period("2026-11-19", "2026-11-19T00:00:00+09:00", "2026-11-20T00:00:00+09:00"));
  EXPECT_EQ(*PeriodOf("2026-11-19", PeriodUnit::kWeek, Zone("Asia/Seoul")),
            Period("2026-11-16", "2026-11-16T00:00:00+09:00", "2026-11-23T00:00:00+09:00"));
  EXPECT_EQ(*PeriodOf("2026-02-19", PeriodUnit::kMonth, Zone("UTC")),
            Period("2026-02-01", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"));
  EXPECT_EQ(*PeriodOf("2026-11-19T13", PeriodUnit::kHour, Zone("Asia/Seoul")),
            Period("2026-11-19T13", "2026-11-19T13:00:00+09:00", "2026-11-19T14:00:00+09:00"));
}

TEST(ReportPeriod, IsAsLongAsTheClocksMakeIt) {
  const ReportPeriod spring = *PeriodOf("2026-03-29", PeriodUnit::kDay, Zone("Europe/Berlin"));
  EXPECT_EQ(spring.end_s - spring.begin_s, 23 * 3600);
  const ReportPeriod autumn = *PeriodOf("2026-10-25", PeriodUnit::kDay, Zone("Europe/Berlin"));
  EXPECT_EQ(autumn.end_s - autumn.begin_s, 25 * 3600);
}

TEST(ReportPeriod, RefusesWhatIsNoDate) {
  for (const char* date : {"", "2026", "2026-13-01", "2026-02-29", "2026-11-19T13", "2026/11/19", "yesterday", "1969-01-01",
                           "2026-11-1x", "2026-11-190"}) {
    EXPECT_THAT(PeriodOf(date, PeriodUnit::kDay, Zone("UTC")).status().ToString(),
                AllOf(StartsWith("invalid argument"), HasSubstr("is not a date like 2026-11-19")))
        << date;
  }
  EXPECT_FALSE(PeriodOf("2026-11-19", PeriodUnit::kHour, Zone("UTC")).ok());
  EXPECT_FALSE(PeriodOf("2026-11-19T24", PeriodUnit::kHour, Zone("UTC")).ok());
  EXPECT_THAT(PeriodOf("2026-03-29T02", PeriodUnit::kHour, Zone("Europe/Berlin")).status().ToString(),
              AllOf(StartsWith("invalid argument"), HasSubstr("skipped by the clocks of Europe/Berlin")));
  EXPECT_FALSE(PeriodOf("2011-12-30", PeriodUnit::kDay, Zone("Pacific/Apia")).ok());
}

TEST(ReportPeriod, OfAScheduleIsTheLastThatIsOver) {
  const LocalCalendar seoul = Zone("Asia/Seoul");
  const auto date = [&](const char* at, PeriodUnit unit) { return LastPeriodBefore(Utc(at), unit, seoul).date; };
  EXPECT_EQ(date("2026-11-20T09:00:00+09:00", PeriodUnit::kDay), "2026-11-19");
  EXPECT_EQ(date("2026-11-20T00:00:00+09:00", PeriodUnit::kDay), "2026-11-19");
  EXPECT_EQ(date("2026-11-19T23:59:59+09:00", PeriodUnit::kDay), "2026-11-18");
  EXPECT_EQ(date("2026-11-20T09:00:00+09:00", PeriodUnit::kWeek), "2026-11-09");
  EXPECT_EQ(date("2026-11-20T09:00:00+09:00", PeriodUnit::kMonth), "2026-10-01");
  EXPECT_EQ(date("2026-11-20T09:05:00+09:00", PeriodUnit::kHour), "2026-11-20T08");
  // Half past three, just after the clock went from two to three: there was no hour from two to three.
  EXPECT_EQ(LastPeriodBefore(Utc("2026-03-29T03:30:00+02:00"), PeriodUnit::kHour, Zone("Europe/Berlin")).date,
            "2026-03-29T01");
}

TEST(ReportPeriod, IsGuessedFromTheSchedule) {
  const auto guess = [](const char* text) { return GuessPeriodUnit(*CronSchedule::Parse(text)); };
  EXPECT_EQ(guess("0 9 * * *"), PeriodUnit::kDay);
  EXPECT_EQ(guess("0 9 * * 1-5"), PeriodUnit::kDay);
  EXPECT_EQ(guess("0 9 * * mon"), PeriodUnit::kWeek);
  EXPECT_EQ(guess("0 9 1 * *"), PeriodUnit::kMonth);
  EXPECT_EQ(guess("@yearly"), PeriodUnit::kMonth);
  EXPECT_EQ(guess("5 * * * *"), PeriodUnit::kHour);
  EXPECT_EQ(guess("0 0,12 * * *"), PeriodUnit::kHour);
}

}  // namespace
}  // namespace varve
