#include "query/promql/functions/regression.h"

#include <gmock/gmock.h>

#include "tests/unit/query/promql/functions/window_fixture.h"

namespace varve::promql {
namespace {

using testing::ElementsAre;

TEST(Deriv, IsTheSlopeOfTheBestLine) {
  EXPECT_DOUBLE_EQ(Value("deriv", Every(10'000, {1, 3, 5})), 0.2);
  EXPECT_DOUBLE_EQ(Value("deriv", Every(10'000, {0, 10, 5})), 0.25);
  EXPECT_EQ(Value("deriv", Every(10'000, {4, 4, 4})), 0);
  EXPECT_TRUE(std::isnan(Value("deriv", Every(10'000, {kInf, kInf}))));
  EXPECT_TRUE(GivesNothing("deriv", Every(10'000, {4})));
  EXPECT_TRUE(GivesNothing("deriv", TestWindow()));
}

TEST(Deriv, IsExactFarFromTheEpoch) {
  TestWindow window = Every(10'000, {1, 3, 5});
  for (int64_t& ts : window.ts_ms) ts += 1'700'000'000'000;
  EXPECT_DOUBLE_EQ(Value("deriv", window), 0.2);
}

TEST(PredictLinear, CountsFromTheTimeOfEvaluation) {
  TestWindow window = Every(10'000, {1, 3, 5});
  EXPECT_DOUBLE_EQ(Value("predict_linear", window, {60}), 17);
  window.eval_ms = 40'000;  // with offset 10 s
  EXPECT_DOUBLE_EQ(Value("predict_linear", window, {60}), 19);
  EXPECT_EQ(Value("predict_linear", Every(10'000, {4, 4}), {1e9}), 4);
  EXPECT_TRUE(GivesNothing("predict_linear", Every(10'000, {4}), {60}));
}

TEST(Regression, LeavesHistogramsOutAndSaysSo) {
  TestWindow window = Every(10'000, {1});
  window.histograms = {{15'000, TestHistogram(3)}};
  for (const char* name : {"deriv", "predict_linear", "double_exponential_smoothing"}) {
    const Outcome out = CallRange(name, window, {0.5, 0.5});
    EXPECT_EQ(out.point.kind, PointKind::kNone);
    EXPECT_THAT(out.infos, ElementsAre("PromQL info: ignored histograms in a range containing both floats and "
                                       "histograms for metric name \"m\" (1:6)"));
  }
}

TEST(DoubleExponentialSmoothing, FollowsLevelAndTrend) {
  // Level 10, trend 10 → at 20: 0.5 * 20 + 0.5 * 20 = 20; trend 0.5 * 10 + 0.5 * 10 = 10 → at 50: 25 + 15 = 40.
  EXPECT_DOUBLE_EQ(Value("double_exponential_smoothing", Every(10'000, {10, 20, 50}), {0.5, 0.5}), 40);
  EXPECT_DOUBLE_EQ(Value("double_exponential_smoothing", Every(10'000, {1, 2, 3, 4}), {0.01, 0.1}), 4);
  EXPECT_TRUE(GivesNothing("double_exponential_smoothing", Every(10'000, {1}), {0.5, 0.5}));
}

TEST(DoubleExponentialSmoothing, RefusesFactorsOutsideZeroToOne) {
  struct Case {
    double smoothing;
    double trend;
    const char* error;
  };
  const std::vector<Case> cases = {
      {0, 0.5, "invalid smoothing factor. Expected: 0 < sf < 1, got: 0.000000"},
      {1, 0.5, "invalid smoothing factor. Expected: 0 < sf < 1, got: 1.000000"},
      {kInf, 0.5, "invalid smoothing factor. Expected: 0 < sf < 1, got: +Inf"},
      {0.5, -2.5, "invalid trend factor. Expected: 0 < tf < 1, got: -2.500000"},
      {0.5, 1, "invalid trend factor. Expected: 0 < tf < 1, got: 1.000000"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(CallRange("double_exponential_smoothing", Every(10'000, {1, 2}), {c.smoothing, c.trend}).error, c.error);
  }
}

}  // namespace
}  // namespace varve::promql
