#include "alerting/reports/local_calendar.h"

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

TEST(LocalCalendar, RefusesZonesThatDoNotExist) {
  EXPECT_THAT(LocalCalendar::Load("Mars/Olympus").status().ToString(),
              AllOf(StartsWith("invalid argument"), HasSubstr("time zone \"Mars/Olympus\" does not exist")));
  EXPECT_FALSE(LocalCalendar::Load("../../../etc/passwd").ok());
}

TEST(LocalCalendar, TakesNoNameForUtc) {
  EXPECT_EQ(LocalCalendar::Load("")->zone(), "UTC");
  EXPECT_EQ(LocalCalendar::Utc().UtcOf(5), 5);
  EXPECT_EQ(LocalCalendar::Utc().LocalOf(5), 5);
}

TEST(LocalCalendar, GoesThereAndBack) {
  const LocalCalendar seoul = *LocalCalendar::Load("Asia/Seoul");
  EXPECT_EQ(seoul.Rfc3339(Utc("2026-11-20T00:00:00Z")), "2026-11-20T09:00:00+09:00");
  EXPECT_EQ(seoul.UtcOf(Utc("2026-11-20T09:00:00Z")), Utc("2026-11-20T00:00:00Z"));
  EXPECT_EQ(LocalCalendar::Load("America/St_Johns")->Rfc3339(Utc("2026-11-20T00:00:00Z")), "2026-11-19T20:30:00-03:30");
}

TEST(LocalCalendar, TakesTheFirstOfADoubledTimeAndTheEndOfAGap) {
  const LocalCalendar berlin = *LocalCalendar::Load("Europe/Berlin");
  EXPECT_EQ(berlin.UtcOf(Utc("2026-10-25T02:30:00Z")), Utc("2026-10-25T00:30:00Z"));
  EXPECT_EQ(berlin.UtcOf(Utc("2026-03-29T02:00:00Z")), Utc("2026-03-29T01:00:00Z"));
  EXPECT_EQ(berlin.UtcOf(Utc("2026-03-29T02:59:59Z")), Utc("2026-03-29T01:00:00Z"));
  EXPECT_EQ(berlin.UtcOf(Utc("2026-03-29T03:00:00Z")), Utc("2026-03-29T01:00:00Z"));
}

TEST(LocalCalendar, NeverDecreases) {
  for (const char* zone : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca"}) {
    const LocalCalendar calendar = *LocalCalendar::Load(zone);
    int64_t last = INT64_MIN;
    for (int64_t local = Utc("2011-01-01T00:00:00Z"); local < Utc("2013-01-01T00:00:00Z"); local += 600) {
      const int64_t utc = calendar.UtcOf(local);
      ASSERT_GE(utc, last) << zone << " " << local;
      last = utc;
    }
  }
}

}  // namespace
}  // namespace varve
