#include "query/promql/functions/resets_changes.h"

#include "tests/unit/query/promql/functions/window_fixture.h"

namespace varve::promql {
namespace {

TEST(Resets, CountsFalls) {
  EXPECT_EQ(Value("resets", Every(10'000, {1, 2, 1, 0, 5, kNan, 3})), 2);
  EXPECT_EQ(Value("resets", Every(10'000, {1})), 0);
  EXPECT_TRUE(GivesNothing("resets", TestWindow()));
}

TEST(Resets, CountsNewStarts) {
  TestWindow window = Every(10'000, {1, 2, 3, 4});
  window.starts_ms = {5'000, 5'000, 25'000, 25'000};
  EXPECT_EQ(Value("resets", window), 1);
  // A start at the sample before is a reset only if that one had a start of its own.
  window.starts_ms = {5'000, 10'000, 20'000, 30'000};
  EXPECT_EQ(Value("resets", window), 3);
  window.starts_ms = {0, 10'000, 0, 0};
  EXPECT_EQ(Value("resets", window), 0);
}

TEST(Changes, CountsDifferencesButNotBetweenNans) {
  EXPECT_EQ(Value("changes", Every(10'000, {1, 1, 2, kNan, kNan, 2, 2})), 3);
  EXPECT_EQ(Value("changes", Every(10'000, {0, -0.0})), 0);
}

TEST(Sequence, MergesFloatsAndHistogramsByTime) {
  TestWindow window = Every(10'000, {1, 1});
  window.histograms = {{12'000, TestHistogram(3)}, {14'000, TestHistogram(3)}, {16'000, TestHistogram(2)}};
  // float, histogram 3, 3, 2, float: two switches; 3 → 2 is both a change and a reset.
  EXPECT_EQ(Value("changes", window), 3);
  EXPECT_EQ(Value("resets", window), 3);
}

TEST(Sequence, AnchoredBeginsAtTheLastSampleBeforeTheRange) {
  TestWindow window = Every(10'000, {5, 4, 3, 2});
  window.begin_ms = 25'000;
  window.end_ms = 40'000;
  window.anchored = true;
  EXPECT_EQ(Value("resets", window), 2);  // 4 → 3 → 2
  window.begin_ms = 40'000;
  EXPECT_TRUE(GivesNothing("resets", window));
  window.begin_ms = 0;
  EXPECT_EQ(Value("changes", window), 3);
}

TEST(Sequence, AnchoredTakesTheYoungerOfBothKindsBeforeTheRange) {
  TestWindow window = Every(10'000, {5, 4, 4});
  window.histograms = {{22'000, TestHistogram(3)}};
  window.begin_ms = 25'000;
  window.end_ms = 30'000;
  window.anchored = true;
  EXPECT_EQ(Value("changes", window), 1);  // histogram → float
  window.histograms[0].ts_ms = 18'000;
  EXPECT_EQ(Value("changes", window), 0);  // 4 → 4
}

}  // namespace
}  // namespace varve::promql
