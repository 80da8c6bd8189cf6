#include "tests/unit/query/promql/eval/eval_fixture.h"

namespace varve::promql {
namespace {

class SelectorTest : public EvalTest {};

TEST_F(SelectorTest, TakesTheNewestSampleWithinALeftOpenLookback) {
  Load("m", "1 _ _ 4");
  EXPECT_EQ(At(0, "m"), "m 1@0");
  EXPECT_EQ(At(2 * kMinute, "m"), "m 1@120");
  EXPECT_EQ(At(8 * kMinute - 1, "m"), "m 4@479.999");
  EXPECT_EQ(At(8 * kMinute, "m"), "");  // exactly five minutes old
}

TEST_F(SelectorTest, EndsASeriesAtAStaleMarkerButKeepsOtherNaNs) {
  Load("m", "1 stale _ nan");
  EXPECT_EQ(Range(0, 3 * kMinute, kMinute, "m"), "m 1@0 NaN@180");
  EXPECT_EQ(At(3 * kMinute, "count_over_time(m[10m])"), "{} 2@180");
}

TEST_F(SelectorTest, LooksAtAnotherTimeWithOffsetAndAt) {
  Load("m", "1 2 3 4 5");
  EXPECT_EQ(At(4 * kMinute, "m offset 1m"), "m 4@240");
  EXPECT_EQ(At(kMinute, "m offset -2m"), "m 4@60");
  EXPECT_EQ(Range(0, 2 * kMinute, kMinute, "m @ 180"), "m 4@0 4@60 4@120");
  EXPECT_EQ(At(0, "m @ 180 offset 1m"), "m 3@0");
  EXPECT_EQ(Range(kMinute, 3 * kMinute, kMinute, "m @ end() - m @ start()"), "{} 2@60 2@120 2@180");
  EXPECT_EQ(Range(kMinute, 2 * kMinute, kMinute, "m - m @ 0"), "{} 1@60 2@120");
}

TEST_F(SelectorTest, FindsNothingAtTheEndsOfTime) {
  Load("m", "1 2 3");
  EXPECT_EQ(At(0, "m @ 9223372036854775 offset -100y"), "");
  EXPECT_EQ(At(0, "sum_over_time(m[100y] @ -9223372036854775 offset 100y)"), "");
  EXPECT_EQ(At(0, "sum_over_time(m[100y:1y] @ -9223372036854775 offset 100y)"), "");
}

TEST_F(SelectorTest, SelectsNativeHistogramsBesideFloats) {
  LoadHistograms("m", {nullptr, Counts({1, 2}), Counts({2, 2})});
  Load("m", "7 _ _ 9");
  EXPECT_EQ(Range(0, 4 * kMinute, kMinute, "m"), "m 7@0 9@180 9@240 h3@60 h4@120");
}

TEST_F(SelectorTest, SmoothedLiesOnTheLineBetweenNeighbours) {
  Load("m", "1 _ 3 _ 7");
  EXPECT_EQ(Range(0, 5 * kMinute, 30'000, "m smoothed"),
            "m 1@0 1.5@30 2@60 2.5@90 3@120 4@150 5@180 6@210 7@240 7@270 7@300");
}

TEST_F(SelectorTest, GivesSampleTimesToTimestampOfAPlainSelectorOnly) {
  Load("m", "1 2 _ _");
  EXPECT_EQ(At(3 * kMinute, "timestamp(m)"), "{} 60@180");
  EXPECT_EQ(At(3 * kMinute, "timestamp((m))"), "{} 60@180");
  EXPECT_EQ(At(3 * kMinute, "timestamp(abs(m))"), "{} 180@180");
  EXPECT_EQ(Range(kMinute, 2 * kMinute, kMinute, "timestamp(m @ 0)"), "{} 0@60 0@120");
}

TEST_F(SelectorTest, GivesRawSamplesForARangeAsTheResult) {
  Load("m{a=\"1\"}", "1 2 stale 4");
  Load("m{a=\"0\"}", "5 6 7 8");
  EXPECT_EQ(At(3 * kMinute, "m[2m]"), "m{a=\"0\"} 7@120 8@180\nm{a=\"1\"} 4@180");
  EXPECT_EQ(At(3 * kMinute, "m{a=\"1\"}[1m] offset 2m"), "m{a=\"1\"} 2@60");
  EXPECT_EQ(At(3 * kMinute, "m{a=\"0\"}[2m] anchored"), "m{a=\"0\"} 6@60 7@120 8@180");
  EXPECT_EQ(At(150'000, "m{a=\"0\"}[1m] smoothed"), "m{a=\"0\"} 6.5@90 7@120 7.5@150");
}

TEST_F(SelectorTest, ReadsTheSameSelectorOnce) {
  Load("m", "1 2");
  EXPECT_EQ(At(0, "m + m"), "{} 2@0");
  EXPECT_EQ(selects_, 1);
}

TEST_F(SelectorTest, UsesTheLookbackOfTheRequest) {
  Load("m", "1");
  const Result<QueryResult> result =
      Query({.query = "m", .start_ms = 2 * kMinute, .end_ms = 2 * kMinute, .lookback_ms = kMinute});
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->series.empty());
}

}  // namespace
}  // namespace varve::promql
