#include "query/promql/functions/rate.h"

#include <gmock/gmock.h>

#include "tests/unit/query/promql/functions/window_fixture.h"

namespace varve::promql {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Rate, ReachesBothEndsWhenSamplesAreNear) {
  // 15 s apart, window 60 s: sampled 45 s, 15 s to the start are within 1.1 * 15 s, none to the end.
  const TestWindow window = Every(15'000, {100, 115, 130, 145});
  EXPECT_DOUBLE_EQ(Value("increase", window), 60);
  EXPECT_DOUBLE_EQ(Value("rate", window), 1);
  EXPECT_DOUBLE_EQ(Value("delta", window), 60);
}

TEST(Rate, GoesHalfASampleFurtherWhereTheSeriesBeginsOrEndsInside) {
  TestWindow window = Every(10'000, {1000, 1010, 1020});
  window.begin_ms = -30'000;  // 40 s before the first sample: only 5 s of them count
  window.end_ms = 50'000;     // 20 s behind the last: 5 s
  EXPECT_DOUBLE_EQ(Value("increase", window), 20 * (20.0 + 5 + 5) / 20);
  EXPECT_DOUBLE_EQ(Value("rate", window), 30.0 / 80);
}

TEST(Rate, NeverGoesBackToBeforeTheCounterWasZero) {
  // From 2 to 22 in 20 s: zero was 2 s before the first sample.
  const TestWindow window = Every(10'000, {2, 12, 22});
  EXPECT_DOUBLE_EQ(Value("increase", window), 20 * (20.0 + 2) / 20);
  EXPECT_DOUBLE_EQ(Value("delta", window), 30);  // a gauge may be negative
}

TEST(Rate, AddsWhatResetsHide) {
  const TestWindow window = Every(10'000, {50, 60, 5, 15, 3});
  // 3 - 50 + 60 + 15 = 28 in 40 s; zero is beyond the 10 s to the start.
  EXPECT_DOUBLE_EQ(Value("increase", window), 28 * 50.0 / 40);
  EXPECT_DOUBLE_EQ(Value("delta", window), -47 * 50.0 / 40);
}

TEST(Rate, NeedsTwoSamplesOrAStartInsideTheWindow) {
  TestWindow window = Every(10'000, {7});
  window.end_ms = 20'000;
  EXPECT_TRUE(GivesNothing("rate", window));
  EXPECT_TRUE(GivesNothing("rate", TestWindow()));
  window.starts_ms = {4'000};
  // The counter was 0 at 4 s; nothing is known behind the one sample.
  EXPECT_DOUBLE_EQ(Value("increase", window), 7);
  window.starts_ms = {0};
  EXPECT_TRUE(GivesNothing("increase", window));
}

TEST(Rate, CountsFromZeroAtAStartInsideTheWindow) {
  TestWindow window = Every(10'000, {10, 20, 30});
  window.starts_ms = {5'000, 5'000, 5'000};
  // 20 between the samples and 10 before, in 25 s, up to the end.
  EXPECT_DOUBLE_EQ(Value("increase", window), 30);
  EXPECT_DOUBLE_EQ(Value("delta", window), 30);  // gauges have no starts: 20 * 30 / 20
}

TEST(Rate, TakesANewStartForAReset) {
  TestWindow window = Every(10'000, {10, 20, 30});
  window.begin_ms = 5'000;
  window.starts_ms = {1, 1, 25'000};
  // 20 + the 20 that the reset hides, 20 s sampled, 5 s to the start (zero is 10 s before by the slope of 2 a second).
  EXPECT_DOUBLE_EQ(Value("increase", window), 40 * 25.0 / 20);
}

TEST(Rate, WarnsOfStartsThatOverlap) {
  TestWindow window = Every(10'000, {10, 20, 30});
  window.starts_ms = {0, 5'000, 15'000};
  EXPECT_THAT(CallRange("rate", window).warnings,
              ElementsAre("PromQL warning: sample has start time that overlaps with previous sample timestamp for "
                          "metric \"m\" (1:6)"));
}

TEST(Rate, OfSpecialValuesFollowsTheArithmetic) {
  EXPECT_TRUE(std::isnan(Value("rate", Every(10'000, {1, kNan, 3}))) == false);  // NaN in the middle is no reset
  EXPECT_TRUE(std::isnan(Value("rate", Every(10'000, {1, 2, kNan}))));
  EXPECT_EQ(Value("rate", Every(10'000, {1, 2, kInf})), kInf);
  EXPECT_EQ(Value("delta", Every(10'000, {5, 5, 5})), 0);
}

TEST(Rate, OfSamplesAtOneTimeIsNotStretched) {
  TestWindow window;
  window.ts_ms = {5'000, 5'000};
  window.floats = {1, 4};
  window.end_ms = 10'000;
  EXPECT_DOUBLE_EQ(Value("increase", window), 3);
}

TEST(Rate, OfFloatsMixedWithHistogramsIsNothingButAWarning) {
  TestWindow window = Every(10'000, {1, 2});
  window.histograms = {{5'000, TestHistogram(3)}};
  for (const char* name : {"rate", "increase", "delta"}) {
    const Outcome out = CallRange(name, window);
    EXPECT_EQ(out.point.kind, PointKind::kNone);
    EXPECT_THAT(out.warnings, ElementsAre("PromQL warning: encountered a mix of histograms and floats for metric "
                                          "name \"m\" (1:6)"));
  }
}

TEST(InstantRate, LooksAtTheLastTwoSamples) {
  const TestWindow window = Every(10'000, {100, 1, 5, 11});
  EXPECT_DOUBLE_EQ(Value("irate", window), 0.6);
  EXPECT_DOUBLE_EQ(Value("idelta", window), 6);
  EXPECT_TRUE(GivesNothing("irate", Every(10'000, {1})));
}

TEST(InstantRate, TakesTheLastValueAfterAReset) {
  const TestWindow window = Every(10'000, {100, 4});
  EXPECT_DOUBLE_EQ(Value("irate", window), 0.4);
  EXPECT_DOUBLE_EQ(Value("idelta", window), -96);
  TestWindow restarted = Every(10'000, {100, 104});
  restarted.starts_ms = {1, 15'000};
  EXPECT_DOUBLE_EQ(Value("irate", restarted), 10.4);
}

TEST(InstantRate, OfTwoSamplesAtOneTimeIsNothing) {
  TestWindow window = Every(10'000, {1, 2});
  window.ts_ms[1] = window.ts_ms[0];
  EXPECT_TRUE(GivesNothing("irate", window));
  EXPECT_TRUE(GivesNothing("idelta", window));
  EXPECT_THAT(CallRange("irate", window).warnings, IsEmpty());
}

TEST(Seconds, AreWholeSecondsAndARest) {
  EXPECT_EQ(Seconds(90'000), 90);
  EXPECT_EQ(Seconds(1'500), 1.5);
  EXPECT_EQ(Seconds(1), 0.001);
}

}  // namespace
}  // namespace varve::promql
