#include "alerting/notify/time_intervals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/rfc3339.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

int64_t At(const char* text) { return ParseRfc3339(text)->seconds * 1000; }

struct IntervalCase {
  const char* name;
  TimeInterval interval;
  std::vector<const char*> in, out;
};

class TimeIntervalTest : public ::testing::TestWithParam<IntervalCase> {};

TEST_P(TimeIntervalTest, ContainsItsTimes) {
  for (const char* text : GetParam().in) EXPECT_TRUE(Contains(GetParam().interval, At(text))) << text;
  for (const char* text : GetParam().out) EXPECT_FALSE(Contains(GetParam().interval, At(text))) << text;
}

INSTANTIATE_TEST_SUITE_P(
    Table, TimeIntervalTest,
    ::testing::Values(
        IntervalCase{"always", {}, {"2026-11-20T12:00:00Z"}, {}},
        IntervalCase{"hours_end_before_their_end",
                     {.minutes = {{540, 1020}, {1200, 1440}}},
                     {"2026-11-20T09:00:00Z", "2026-11-20T16:59:59Z", "2026-11-20T23:59:59Z"},
                     {"2026-11-20T08:59:59Z", "2026-11-20T17:00:00Z"}},
        IntervalCase{"weekdays",
                     {.weekdays = {{1, 5}}},
                     {"2026-11-20T12:00:00Z", "2026-11-16T00:00:00Z"},
                     {"2026-11-21T12:00:00Z", "2026-11-22T12:00:00Z"}},
        IntervalCase{"last_days_of_the_month",
                     {.days_of_month = {{-3, -1}}},
                     {"2026-02-26T12:00:00Z", "2026-02-28T12:00:00Z", "2028-02-29T00:00:00Z", "2026-11-30T00:00:00Z"},
                     {"2026-02-25T12:00:00Z", "2028-02-26T12:00:00Z", "2026-12-01T00:00:00Z"}},
        IntervalCase{"days_past_the_end_of_the_month",
                     {.days_of_month = {{30, 31}}},
                     {"2026-11-30T12:00:00Z", "2026-12-31T12:00:00Z"},
                     {"2026-02-28T12:00:00Z", "2026-11-29T12:00:00Z"}},
        IntervalCase{"months_and_years",
                     {.months = {{1, 3}, {12, 12}}, .years = {{2026, 2027}}},
                     {"2026-12-24T12:00:00Z", "2027-03-31T23:59:59Z"},
                     {"2026-11-20T12:00:00Z", "2028-01-01T00:00:00Z"}},
        IntervalCase{"by_the_clock_of_a_place",
                     {.minutes = {{540, 600}}, .weekdays = {{6, 6}}, .location = "Asia/Seoul"},
                     {"2026-11-21T00:00:00Z", "2026-11-21T00:59:59Z"},
                     {"2026-11-21T01:00:00Z", "2026-11-20T23:59:59Z", "2026-11-22T00:30:00Z"}},
        IntervalCase{"summer_time_counts",
                     {.minutes = {{540, 600}}, .location = "Europe/Berlin"},
                     {"2026-07-01T07:30:00Z", "2026-12-01T08:30:00Z"},
                     {"2026-07-01T08:30:00Z", "2026-12-01T07:30:00Z"}}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(TimeIntervals, MuteInMuteTimesAndOutsideOfActiveOnes) {
  TimeInterval morning, weekend;
  morning.minutes = {{0, 720}};
  weekend.weekdays = {{6, 6}, {0, 0}};
  const TimeIntervals intervals({{"morning", {morning}}, {"off", {weekend, morning}}});
  const int64_t friday_noon = At("2026-11-20T12:00:00Z"), saturday_noon = At("2026-11-21T12:00:00Z");
  EXPECT_THAT(intervals.Muting({"morning", "off"}, {}, friday_noon), IsEmpty());
  EXPECT_THAT(intervals.Muting({"morning", "off"}, {}, saturday_noon), ElementsAre("off"));
  EXPECT_THAT(intervals.Muting({"morning", "off"}, {}, At("2026-11-20T11:59:59Z")), ElementsAre("morning", "off"));
  EXPECT_THAT(intervals.Muting({}, {"morning", "off"}, friday_noon), ElementsAre("morning", "off"));
  EXPECT_THAT(intervals.Muting({}, {"morning", "off"}, saturday_noon), IsEmpty());
}

}  // namespace
}  // namespace varve
