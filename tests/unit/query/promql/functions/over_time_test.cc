#include "query/promql/functions/over_time.h"

#include <gmock/gmock.h>

#include "tests/unit/query/promql/functions/window_fixture.h"

namespace varve::promql {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Case {
  const char* function;
  std::vector<double> floats;
  double expected;
};

TEST(OverTime, GivesTheDocumentedValues) {
  const std::vector<Case> cases = {
      {"sum_over_time", {1, 2, 3.5}, 6.5},
      {"sum_over_time", {1, 1e100, 1, -1e100}, 2},
      {"sum_over_time", {kInf, 1}, kInf},
      {"sum_over_time", {1e308, 1e308}, kInf},
      {"sum_over_time", {kInf, -kInf}, kNan},
      {"avg_over_time", {1, 2, 6}, 3},
      {"avg_over_time", {1e308, 1e308, 1e308}, 1e308},
      {"avg_over_time", {1e100, 2, -1e100, 2}, 1},
      {"avg_over_time", {-kInf, 5}, -kInf},
      {"min_over_time", {3, -1, 2}, -1},
      {"min_over_time", {kNan, 3, kNan}, 3},
      {"min_over_time", {kNan, kNan}, kNan},
      {"max_over_time", {3, -1, kNan, 4}, 4},
      {"max_over_time", {-kInf, kNan}, -kInf},
      {"count_over_time", {1, kNan, 3}, 3},
      {"present_over_time", {7, 8}, 1},
      {"first_over_time", {7, 8, 9}, 7},
      {"last_over_time", {7, 8, 9}, 9},
      {"stdvar_over_time", {2, 4, 4, 4, 5, 5, 7, 9}, 4},
      {"stddev_over_time", {2, 4, 4, 4, 5, 5, 7, 9}, 2},
      {"stddev_over_time", {1.5990505637277868, 1.5990505637277868, 1.5990505637277868}, 0},
      {"stdvar_over_time", {1, kInf}, kNan},
      {"mad_over_time", {4, 6, 2, 1, 999, 1, 2}, 1},
      {"mad_over_time", {1, kNan, 2}, kNan},
      {"ts_of_min_over_time", {3, 1, 1, 2}, 30},
      {"ts_of_min_over_time", {kNan, 3, 2, kNan}, 30},
      {"ts_of_max_over_time", {3, 1, 3, 2}, 30},
      {"ts_of_max_over_time", {kNan, kNan}, 20},
      {"ts_of_first_over_time", {1, 2}, 10},
      {"ts_of_last_over_time", {1, 2}, 20},
  };
  for (const Case& c : cases) {
    const double value = Value(c.function, Every(10'000, c.floats));
    if (std::isnan(c.expected)) {
      EXPECT_TRUE(std::isnan(value)) << c.function;
    } else {
      EXPECT_DOUBLE_EQ(value, c.expected) << c.function;
    }
  }
}

TEST(OverTime, OfNothingIsNothing) {
  for (const char* name : {"sum_over_time", "avg_over_time", "min_over_time", "max_over_time", "count_over_time",
                           "present_over_time", "first_over_time", "last_over_time", "stddev_over_time",
                           "stdvar_over_time", "mad_over_time", "ts_of_min_over_time", "ts_of_max_over_time",
                           "ts_of_first_over_time", "ts_of_last_over_time"}) {
    EXPECT_TRUE(GivesNothing(name, TestWindow())) << name;
  }
}

TEST(QuantileOverTime, WeighsTheTwoValuesAround) {
  const TestWindow window = Every(10'000, {3, 1, 2, 4});
  EXPECT_DOUBLE_EQ(Value("quantile_over_time", window, {0.5}), 2.5);
  EXPECT_DOUBLE_EQ(Value("quantile_over_time", window, {0.75}), 3.25);
  EXPECT_DOUBLE_EQ(Value("quantile_over_time", window, {1}), 4);
}

TEST(QuantileOverTime, WarnsOfAQuantileOutsideZeroToOne) {
  const TestWindow window = Every(10'000, {1, 2});
  EXPECT_EQ(CallRange("quantile_over_time", window, {1.5}).point.value, kInf);
  EXPECT_EQ(CallRange("quantile_over_time", window, {-1}).point.value, -kInf);
  EXPECT_THAT(CallRange("quantile_over_time", window, {1.5}).warnings,
              ElementsAre("PromQL warning: quantile value should be between 0 and 1, got 1.5 (1:6)"));
  EXPECT_THAT(CallRange("quantile_over_time", window, {kNan}).warnings,
              ElementsAre("PromQL warning: quantile value should be between 0 and 1, got NaN (1:6)"));
  EXPECT_THAT(CallRange("quantile_over_time", TestWindow(), {2}).warnings, IsEmpty());
}

TEST(OverTime, FunctionsOfFloatsLeaveHistogramsOutAndSaySo) {
  TestWindow window = Every(10'000, {5, 1});
  window.histograms = {{15'000, TestHistogram(3)}};
  for (const char* name : {"min_over_time", "max_over_time", "stddev_over_time", "stdvar_over_time",
                           "mad_over_time", "ts_of_min_over_time", "ts_of_max_over_time"}) {
    const Outcome out = CallRange(name, window);
    EXPECT_EQ(out.point.kind, PointKind::kFloat) << name;
    EXPECT_THAT(out.infos, ElementsAre("PromQL info: ignored histograms in a range containing both floats and "
                                       "histograms for metric name \"m\" (1:6)"))
        << name;
  }
  window.floats.clear();
  window.ts_ms.clear();
  const Outcome only_histograms = CallRange("min_over_time", window);
  EXPECT_EQ(only_histograms.point.kind, PointKind::kNone);
  EXPECT_THAT(only_histograms.infos, IsEmpty());
}

TEST(OverTime, CountsAndPicksAmongBothKinds) {
  TestWindow window = Every(10'000, {5, 1});
  window.histograms = {{5'000, TestHistogram(3)}, {15'000, TestHistogram(4)}};
  EXPECT_DOUBLE_EQ(Value("count_over_time", window), 4);
  EXPECT_DOUBLE_EQ(Value("present_over_time", window), 1);
  EXPECT_DOUBLE_EQ(Value("last_over_time", window), 1);
  EXPECT_DOUBLE_EQ(Value("ts_of_first_over_time", window), 5);
  EXPECT_DOUBLE_EQ(Value("ts_of_last_over_time", window), 20);
  const Outcome first = CallRange("first_over_time", window);
  ASSERT_EQ(first.point.kind, PointKind::kHistogram);
  EXPECT_EQ(first.point.histogram->count(), 3);
}

TEST(OverTime, SumsAndMeansOfMixedKindsAreNothingButAWarning) {
  TestWindow window = Every(10'000, {5, 1});
  window.histograms = {{15'000, TestHistogram(3)}};
  for (const char* name : {"sum_over_time", "avg_over_time"}) {
    const Outcome out = CallRange(name, window);
    EXPECT_EQ(out.point.kind, PointKind::kNone) << name;
    EXPECT_THAT(out.warnings, ElementsAre("PromQL warning: encountered a mix of histograms and floats for metric "
                                          "name \"m\" (1:6)"))
        << name;
  }
}

}  // namespace
}  // namespace varve::promql
