#include "alerting/reports/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/base/rfc3339.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::ElementsAreArray;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

int64_t Utc(const char* text) { return ParseRfc3339(text)->seconds; }

struct Case {
  const char* name;
  const char* schedule;
  const char* zone;
  const char* after;
  std::vector<std::string> due;  // as the zone's clock shows it
};

class CronTable : public ::testing::TestWithParam<Case> {};

TEST_P(CronTable, ComesWhenItShould) {
  const Case& c = GetParam();
  const Result<LocalCalendar> calendar = LocalCalendar::Load(c.zone);
  ASSERT_OK(calendar.status());
  const Result<CronSchedule> schedule = CronSchedule::Parse(c.schedule);
  ASSERT_OK(schedule.status());
  std::vector<std::string> due;
  int64_t at = Utc(c.after);
  for (size_t i = 0; i < c.due.size(); ++i) {
    at = schedule->Next(at, *calendar);
    due.push_back(calendar->Rfc3339(at));
  }
  EXPECT_THAT(due, ElementsAreArray(c.due));
}

const Case kCases[] = {
    {"DailyInSeoul", "0 9 * * *", "Asia/Seoul", "2026-11-20T00:00:00Z",
     {"2026-11-21T09:00:00+09:00", "2026-11-22T09:00:00+09:00"}},
    {"StrictlyAfter", "0 9 * * *", "Asia/Seoul", "2026-11-19T23:59:59Z",
     {"2026-11-20T09:00:00+09:00", "2026-11-21T09:00:00+09:00"}},
    {"DailyAcrossBerlinsSpring", "0 9 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z",
     {"2026-03-28T09:00:00+01:00", "2026-03-29T09:00:00+02:00", "2026-03-30T09:00:00+02:00"}},
    {"ASkippedTimeComesRightAfter", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
     {"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"}},
    {"ManySkippedTimesComeOnce", "*/15 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
     {"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00", "2026-03-30T02:15:00+02:00"}},
    {"ASkippedTimeAndItsNeighbourComeOnce", "0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
     {"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"}},
    {"ADoubledTimeComesTheFirstTime", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z",
     {"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}},
    {"BetweenTheTwoOfADoubledTime", "30 2 * * *", "Europe/Berlin", "2026-10-25T01:00:00Z",
     {"2026-10-26T02:30:00+01:00"}},
    {"NewYorkSkips", "15 2 * * *", "America/New_York", "2026-03-07T12:00:00Z",
     {"2026-03-08T03:00:00-04:00", "2026-03-09T02:15:00-04:00"}},
    {"NewYorkDoubles", "15 1 * * *", "America/New_York", "2026-10-31T12:00:00Z",
     {"2026-11-01T01:15:00-04:00", "2026-11-02T01:15:00-05:00"}},
    {"AfterTheZoneFilesLastChange", "30 2 * * *", "Europe/Berlin", "2060-03-27T12:00:00Z",
     {"2060-03-28T03:00:00+02:00", "2060-03-29T02:30:00+02:00"}},
    {"HalfAnHourOfSummer", "10 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z",
     {"2026-10-04T02:30:00+11:00", "2026-10-05T02:10:00+11:00"}},
    {"ADayThatIsNotThere", "0 9 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z",
     {"2011-12-29T09:00:00-10:00", "2011-12-31T00:00:00+14:00", "2011-12-31T09:00:00+14:00"}},
    {"Weekdays", "0 8 * * mon-FRI", "UTC", "2026-11-20T09:00:00Z", {"2026-11-23T08:00:00Z"}},
    {"SundayIsSevenToo", "0 8 * * 7", "UTC", "2026-11-20T09:00:00Z", {"2026-11-22T08:00:00Z"}},
    {"FridayToSunday", "0 8 * * fri-sun", "UTC", "2026-11-20T09:00:00Z",
     {"2026-11-21T08:00:00Z", "2026-11-22T08:00:00Z", "2026-11-27T08:00:00Z"}},
    {"EitherDay", "0 0 13 * fri", "UTC", "2026-11-20T00:00:00Z",
     {"2026-11-27T00:00:00Z", "2026-12-04T00:00:00Z", "2026-12-11T00:00:00Z", "2026-12-13T00:00:00Z"}},
    {"BothDaysWithAStar", "0 0 */2 * sun", "UTC", "2026-11-20T00:00:00Z",
     {"2026-11-29T00:00:00Z", "2026-12-13T00:00:00Z"}},
    {"StepsFromAValue", "50/4 23 31 dec *", "UTC", "2026-11-20T00:00:00Z",
     {"2026-12-31T23:50:00Z", "2026-12-31T23:54:00Z", "2026-12-31T23:58:00Z", "2027-12-31T23:50:00Z"}},
    {"ListsAndRanges", "5,10-12 6 * * *", "UTC", "2026-11-20T06:00:00Z",
     {"2026-11-20T06:05:00Z", "2026-11-20T06:10:00Z", "2026-11-20T06:11:00Z", "2026-11-20T06:12:00Z"}},
    {"LeapDays", "0 0 29 2 *", "UTC", "2026-11-20T00:00:00Z", {"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"}},
    {"NoLeapDayIn2100", "0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", {"2104-02-29T00:00:00Z"}},
    {"Monthly", "@monthly", "Asia/Seoul", "2026-11-20T00:00:00Z", {"2026-12-01T00:00:00+09:00"}},
    {"Daily", "@Daily", "UTC", "2026-11-20T00:00:00Z", {"2026-11-21T00:00:00Z"}},
    {"BeforeNineteenSeventy", "0 0 * * *", "UTC", "1969-12-30T12:00:00Z",
     {"1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z"}},
};

INSTANTIATE_TEST_SUITE_P(Table, CronTable, ::testing::ValuesIn(kCases),
                         [](const auto& given) { return std::string(given.param.name); });

TEST(CronSchedule, NamesWhatIsWrong) {
  const std::pair<const char*, const char*> wrong[] = {
      {"0 9 30 2 *", "never comes"},
      {"0 9 31 4,6,9,11 *", "never comes"},
      {"0 9 30 2 */2", "never comes"},
      {"", "has 0 fields"},
      {"0 9 * *", "has 4 fields"},
      {"0 9 * * * *", "has 6 fields"},
      {"60 9 * * *", "minute \"60\": \"60\" is not one of 0 to 59"},
      {"0 24 * * *", "hour \"24\""},
      {"0 9 0 * *", "day of the month \"0\""},
      {"0 9 * 13 *", "month \"13\""},
      {"0 9 * * 8", "day of the week \"8\""},
      {"0 9 * * monday", "day of the week \"monday\""},
      {"5-1 9 * * *", "the range 5-1 ends before it begins"},
      {"*/0 9 * * *", "\"0\" is not a step"},
      {"*/x 9 * * *", "\"x\" is not a step"},
      {"1,,2 9 * * *", "\"\" is not one of"},
      {"-1 9 * * *", "\"\" is not one of"},
      {"1- 9 * * *", "\"\" is not one of"},
      {"@fortnightly", "not one of @hourly"},
      {"99999999999 9 * * *", "is not one of"},
  };
  for (const auto& [text, why] : wrong) {
    EXPECT_THAT(CronSchedule::Parse(text).status().ToString(), AllOf(StartsWith("invalid argument"), HasSubstr(why))) << text;
    EXPECT_THAT(CronSchedule::Parse(text).status().message(), HasSubstr("schedule \"")) << text;
  }
  EXPECT_THAT(CronSchedule::Parse(std::string(2000, '*')).status().ToString(), AllOf(StartsWith("invalid argument"), HasSubstr("too long")));
}

TEST(CronSchedule, IsEveryMinuteUnlessToldOtherwise) {
  EXPECT_EQ(CronSchedule().Next(Utc("2026-11-20T09:00:30Z"), LocalCalendar::Utc()), Utc("2026-11-20T09:01:00Z"));
}

}  // namespace
}  // namespace varve
