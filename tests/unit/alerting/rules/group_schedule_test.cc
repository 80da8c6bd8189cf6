#include "alerting/rules/group_schedule.h"

#include <gtest/gtest.h>

#include <vector>

namespace varve {
namespace {

constexpr int64_t kInterval = 15'000;
constexpr int64_t kHour = 3'600'000;

TEST(GroupSchedule, SpreadsGroupsOverTheirInterval) {
  const GroupSchedule schedule(kInterval, 7);
  EXPECT_EQ(schedule.SlotAtOrBefore(30'007), 30'007);
  EXPECT_EQ(schedule.SlotAtOrBefore(30'006), 15'007);
  EXPECT_EQ(schedule.SlotAtOrBefore(-1), -14'993);
  EXPECT_EQ(GroupSchedule(kInterval, 7 + 3 * kInterval).SlotAtOrBefore(30'007), 30'007);
}

TEST(GroupSchedule, BeginsWithTheNextSlotWhenItWasNeverEvaluated) {
  GroupSchedule schedule(kInterval, 0);
  EXPECT_EQ(schedule.Begin(std::nullopt, 31'000, kHour, 30'000), 0U);
  EXPECT_EQ(schedule.due_ms(), 45'000);
  EXPECT_FALSE(schedule.catching_up());
}

TEST(GroupSchedule, MakesUpWhatWasMissedAfterAWait) {
  GroupSchedule schedule(kInterval, 0);
  EXPECT_EQ(schedule.Begin(30'000, 100'000, kHour, 30'000), 0U);
  EXPECT_TRUE(schedule.catching_up());
  EXPECT_EQ(schedule.next_ms(), 45'000);
  EXPECT_EQ(schedule.due_ms(), 130'000);
  std::vector<int64_t> slots;
  for (; schedule.next_ms() <= 130'000; schedule.Advance(130'000)) slots.push_back(schedule.next_ms());
  EXPECT_EQ(slots, (std::vector<int64_t>{45'000, 60'000, 75'000, 90'000, 105'000, 120'000}));
  EXPECT_FALSE(schedule.catching_up());
}

TEST(GroupSchedule, WaitsForTheNextSlotTooWhenItIsWithinTheWait) {
  GroupSchedule schedule(kInterval, 0);
  schedule.Begin(30'000, 44'000, kHour, 5'000);
  EXPECT_EQ(schedule.next_ms(), 45'000);
  EXPECT_EQ(schedule.due_ms(), 49'000);
  EXPECT_TRUE(schedule.catching_up());
  schedule.Begin(30'000, 36'000, kHour, 5'000);
  EXPECT_EQ(schedule.due_ms(), 45'000);
  EXPECT_FALSE(schedule.catching_up());
}

TEST(GroupSchedule, GivesUpWhatIsTooOld) {
  GroupSchedule schedule(kInterval, 0);
  EXPECT_EQ(schedule.Begin(0, 2 * kHour, kHour, 0), 239U);
  EXPECT_EQ(schedule.next_ms(), kHour);
  EXPECT_EQ(schedule.Begin(0, 2 * kHour, 0, 0), 479U);
  EXPECT_EQ(schedule.next_ms(), 2 * kHour);
}

TEST(GroupSchedule, SkipsSlotsThatARunningGroupIsTooLateFor) {
  GroupSchedule schedule(kInterval, 0);
  schedule.Begin(std::nullopt, 1, kHour, 0);
  EXPECT_EQ(schedule.Advance(16'000), 0U);  // done at 16 s what was due at 15
  EXPECT_EQ(schedule.next_ms(), 30'000);
  EXPECT_EQ(schedule.Advance(59'999), 0U);  // one interval late: the slot before the latest is not skipped
  EXPECT_EQ(schedule.next_ms(), 45'000);
  EXPECT_EQ(schedule.Advance(125'000), 4U);
  EXPECT_EQ(schedule.next_ms(), 120'000);
}

TEST(GroupSchedule, StopsCatchingUpWhenItOnlyFallsBehind) {
  GroupSchedule schedule(kInterval, 0);
  schedule.Begin(0, 60'000, kHour, 0);
  int64_t now = 60'000;
  uint64_t given_up = 0;
  for (int i = 0; i < 20 && schedule.catching_up(); ++i) given_up += schedule.Advance(now += 40'000);
  EXPECT_FALSE(schedule.catching_up());
  EXPECT_GT(given_up, 0U);
  EXPECT_TRUE(schedule.IsLatest(now));
}

TEST(GroupSchedule, StartsAnewWhenTheClockWasSetBack) {
  GroupSchedule schedule(kInterval, 0);
  EXPECT_EQ(schedule.Begin(1'000'000, 100'000, kHour, 30'000), 0U);
  EXPECT_EQ(schedule.due_ms(), 105'000);
}

}  // namespace
}  // namespace varve
