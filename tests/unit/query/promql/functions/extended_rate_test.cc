#include "query/promql/functions/extended_rate.h"

#include "tests/unit/query/promql/functions/window_fixture.h"

namespace varve::promql {
namespace {

// A sample every 10 s, of which the range is (15 s, 35 s].
TestWindow Extended(std::vector<double> floats, bool smoothed) {
  TestWindow out = Every(10'000, std::move(floats));
  out.begin_ms = 15'000;
  out.end_ms = 35'000;
  out.anchored = !smoothed;
  out.smoothed = smoothed;
  return out;
}

TEST(AnchoredRate, BeginsAtTheLastSampleBeforeTheRange) {
  // Anchored windows end with the range: samples at 10, 20 and 30 s.
  const TestWindow window = Extended({1, 4, 9}, false);
  EXPECT_DOUBLE_EQ(Value("increase", window), 8);
  EXPECT_DOUBLE_EQ(Value("rate", window), 0.4);
  EXPECT_DOUBLE_EQ(Value("delta", window), 8);
}

TEST(AnchoredRate, BeginsAtTheFirstSampleInsideWhereThereIsNoneBefore) {
  TestWindow window = Extended({1, 4, 9}, false);
  window.begin_ms = 5'000;
  EXPECT_DOUBLE_EQ(Value("increase", window), 8);
  window.begin_ms = 10'000;  // a sample at the very begin is the one before
  EXPECT_DOUBLE_EQ(Value("increase", window), 8);
}

TEST(AnchoredRate, MakesResetsGood) {
  EXPECT_DOUBLE_EQ(Value("increase", Extended({10, 3, 5}, false)), 5);
  EXPECT_DOUBLE_EQ(Value("delta", Extended({10, 3, 5}, false)), -5);
}

TEST(AnchoredRate, IsNothingWhenAllSamplesLieBeforeTheRange) {
  EXPECT_TRUE(GivesNothing("rate", Extended({1}, false)));
}

TEST(AnchoredRate, OfOneSampleInsideIsZero) {
  TestWindow window = Extended({7}, false);
  window.begin_ms = 5'000;
  EXPECT_DOUBLE_EQ(Value("increase", window), 0);
}

TEST(SmoothedRate, InterpolatesAtBothEnds) {
  // 15 s: between 10 and 20 → 15; 35 s: between 30 and 40 → 35.
  const TestWindow window = Extended({10, 20, 30, 40, 50}, true);
  EXPECT_DOUBLE_EQ(Value("increase", window), 20);
  EXPECT_DOUBLE_EQ(Value("rate", window), 1);
  EXPECT_DOUBLE_EQ(Value("delta", window), 20);
}

TEST(SmoothedRate, LetsACounterThatFellBeginAtZero) {
  // At 15 s halfway from 0 to 20 (it fell from 30): 10. At 35 s halfway from 0 to 8 (it fell from 30): 4.
  // 4 - 10 and the 30 before the second fall.
  EXPECT_DOUBLE_EQ(Value("increase", Extended({30, 20, 30, 8}, true)), 24);
  // A gauge: 25 and 19.
  EXPECT_DOUBLE_EQ(Value("delta", Extended({30, 20, 30, 8}, true)), -6);
}

TEST(SmoothedRate, TakesTheNearestSampleWhereASideHasNone) {
  TestWindow window = Extended({10, 20, 30}, true);
  window.begin_ms = 5'000;
  EXPECT_DOUBLE_EQ(Value("increase", window), 20);
}

TEST(SmoothedRate, IsNothingWhenAllSamplesLieOnOneSide) {
  TestWindow window = Extended({1, 2}, true);
  window.begin_ms = 40'000;
  window.end_ms = 50'000;
  EXPECT_TRUE(GivesNothing("increase", window));
  window.begin_ms = -20'000;
  window.end_ms = 5'000;
  EXPECT_TRUE(GivesNothing("increase", window));
}

}  // namespace
}  // namespace varve::promql
