#include "query/exec/step_grid.h"

#include <random>

#include <gtest/gtest.h>

namespace varve {
namespace {

QueryRequest RangeRequest(int64_t start_ns, int64_t end_ns, int64_t step_ns) {
  QueryRequest request;
  request.start_ns = start_ns;
  request.end_ns = end_ns;
  request.step_ns = step_ns;
  return request;
}

TEST(StepGrid, RoundsStartDownAndEndUpToMultiplesOfTheStep) {
  struct Case {
    int64_t start, end, step, first;
    uint32_t count;
  };
  const Case kCases[] = {
      {100, 130, 10, 100, 4},  // on the grid
      {103, 133, 10, 100, 5},  // both off
      {100, 125, 10, 100, 4},  // end rounded up
      {105, 105, 10, 100, 2},  // start = end off the grid: two points
      {110, 110, 10, 110, 1},  // start = end on it: one
      {-5, 5, 10, -10, 3},     // before the epoch
      {0, 3, 100, 0, 2},       // a step longer than the range
  };
  for (const Case& c : kCases) {
    const auto grid = StepGrid::Create(RangeRequest(c.start, c.end, c.step), 11000);
    ASSERT_TRUE(grid.ok());
    EXPECT_EQ(grid->first_ns, c.first) << c.start;
    EXPECT_EQ(grid->count, c.count) << c.start;
    EXPECT_EQ(grid->TimeNs(grid->count - 1), c.first + c.step * (c.count - 1));
  }
}

TEST(StepGrid, AnInstantQueryHasExactlyItsTime) {
  QueryRequest request = RangeRequest(12345, 12345, 10);
  request.instant = true;
  const auto grid = StepGrid::Create(request, 11000);
  ASSERT_TRUE(grid.ok());
  EXPECT_EQ(grid->count, 1u);
  EXPECT_EQ(grid->first_ns, 12345);
}

TEST(StepGrid, RefusesStepsAndSizesWithLokisTexts) {
  EXPECT_EQ(StepGrid::Create(RangeRequest(0, 10, 0), 10).status().message(),
            "zero or negative query resolution step widths are not accepted. Try a positive integer");
  EXPECT_EQ(
      StepGrid::Create(RangeRequest(0, 11, 1), 10).status().message(),
      "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step "
      "parameter");
  EXPECT_TRUE(StepGrid::Create(RangeRequest(0, 10, 1), 10).ok());
  EXPECT_FALSE(StepGrid::Create(RangeRequest(INT64_MIN, INT64_MAX, INT64_MAX / 3), 100).ok());
}

// Every time must lie in exactly the windows that hold it, and an interval's last time must be its last.
TEST(WindowGrid, IntervalsAndWindowsAgreeWithTheDefinition) {
  const uint32_t seed = 20261120;
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    StepGrid steps;
    steps.count = 1 + random() % 8;
    steps.step_ns = steps.count == 1 ? 0 : 1 + random() % 12;
    steps.first_ns = static_cast<int64_t>(random() % 100) - 50;
    const int64_t range = 1 + random() % 60;
    const int64_t offset = static_cast<int64_t>(random() % 21) - 10;
    const auto created = WindowGrid::Create(steps, range, offset);
    ASSERT_TRUE(created.ok());
    const WindowGrid& grid = *created;
    SCOPED_TRACE(::testing::Message() << "seed " << seed << " steps " << steps.count << " step "
                                      << steps.step_ns << " range " << range << " offset " << offset);
    WindowGrid::Interval previous;
    for (int64_t t = grid.scan_range().begin_ns; t < grid.scan_range().end_ns; ++t) {
      const WindowGrid::Interval interval = grid.Locate(t);
      ASSERT_GE(interval.last_ns, t);
      if (t > grid.scan_range().begin_ns && t <= previous.last_ns) {
        ASSERT_EQ(interval.index, previous.index) << t;
      }
      previous = interval;
      for (uint32_t step = 0; step < steps.count; ++step) {
        const int64_t upper = steps.TimeNs(step) - offset;
        const bool inside = t > upper - range && t <= upper;
        ASSERT_EQ(grid.LowerNs(step), upper - range);
        ASSERT_EQ(grid.UpperNs(step), upper);
        const bool covered = interval.index != WindowGrid::kGap && interval.index >= grid.WindowBegin(step) &&
                             interval.index < grid.WindowEnd(step);
        ASSERT_EQ(covered, inside) << "t " << t << " step " << step;
        if (interval.index == WindowGrid::kGap) continue;
        ASSERT_LT(interval.index, grid.interval_count());
        const WindowGrid::Steps of = grid.StepsOf(interval.index);
        ASSERT_EQ(step >= of.first && step <= of.last, inside) << "t " << t << " step " << step;
      }
    }
  }
}

TEST(WindowGrid, KeepsFewIntervalsForALongRange) {
  const StepGrid steps{0, kNsPerSecond, 1000};
  const auto grid = WindowGrid::Create(steps, 365 * 24 * kNsPerHour, 0);
  ASSERT_TRUE(grid.ok());
  EXPECT_EQ(grid->interval_count(), 1999u);
}

TEST(WindowGrid, RefusesTimesThatDoNotExist) {
  EXPECT_FALSE(WindowGrid::Create({INT64_MIN + 5, 0, 1}, 10, 0).ok());
  EXPECT_FALSE(WindowGrid::Create({0, 0, 1}, INT64_MAX, INT64_MAX).ok());
  EXPECT_FALSE(WindowGrid::Create({INT64_MAX, 0, 1}, 10, 0).ok());
  EXPECT_FALSE(WindowGrid::Create({0, 0, 1}, 0, 0).ok());
  // The last interval would end beyond representable time.
  const auto grid = WindowGrid::Create({INT64_MAX - 10, 4, 3}, 3, 0);
  ASSERT_TRUE(grid.ok());
  EXPECT_EQ(grid->Locate(INT64_MAX - 2).last_ns, INT64_MAX - 2);
}

}  // namespace
}  // namespace varve
