#include "query/promql/functions/histogram_rate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/query/promql/functions/window_fixture.h"

namespace varve::promql {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

FloatHistogramPtr WithHint(double count, CounterResetHint hint) {
  FloatHistogram h = *TestHistogram(count);
  h.set_hint(hint);
  return std::make_shared<const FloatHistogram>(std::move(h));
}

FloatHistogramPtr Custom(std::vector<double> counts, std::vector<double> bounds) {
  NativeHistogram native;
  native.is_float = true;
  native.schema = kCustomBucketsSchema;
  native.positive_spans = {{0, static_cast<uint32_t>(counts.size())}};
  for (const double c : counts) native.float_count += c;
  native.positive_counts = std::move(counts);
  native.custom_values = std::move(bounds);
  return std::make_shared<const FloatHistogram>(FloatHistogram::FromNative(native));
}

// One every 10 s; the window is (0, the last].
TestWindow Histograms(std::vector<FloatHistogramPtr> histograms) {
  TestWindow out;
  for (FloatHistogramPtr& h : histograms) {
    out.end_ms += 10'000;
    out.histograms.push_back({out.end_ms, std::move(h)});
  }
  return out;
}

std::string Text(const Outcome& outcome) {
  return outcome.point.kind == PointKind::kHistogram ? outcome.point.histogram->ToString() : "none";
}

TEST(HistogramRateTest, AnIncreaseIsExtrapolatedAndMakesGoodForResets) {
  const TestWindow window = Histograms({TestHistogram(10), TestHistogram(14), TestHistogram(3), TestHistogram(5)});
  const Outcome out = CallRange("increase", window);
  EXPECT_EQ(Text(out), "{count:12, sum:12, (0.5,1]:12}");  // 9 in 30 s, stretched to 40
  EXPECT_TRUE(out.point.histogram->is_gauge());
  EXPECT_THAT(out.warnings, IsEmpty());
  EXPECT_EQ(Text(CallRange("rate", window)), "{count:0.3, sum:0.3, (0.5,1]:0.3}");
}

TEST(HistogramRateTest, OneSampleAloneGivesNothing) {
  EXPECT_EQ(Text(CallRange("rate", Histograms({TestHistogram(1)}))), "none");
  EXPECT_EQ(Text(CallRange("irate", Histograms({TestHistogram(1)}))), "none");
}

TEST(HistogramRateTest, GaugesInRatesAndCountersInDeltasAreWarnedOf) {
  using enum CounterResetHint;
  EXPECT_THAT(CallRange("rate", Histograms({WithHint(1, kGauge), WithHint(2, kGauge)})).warnings,
              ElementsAre("PromQL warning: this native histogram metric is not a counter: \"m\" (1:6)"));
  EXPECT_THAT(CallRange("delta", Histograms({TestHistogram(1), TestHistogram(2)})).warnings,
              ElementsAre("PromQL warning: this native histogram metric is not a gauge: \"m\" (1:6)"));
  EXPECT_THAT(CallRange("delta", Histograms({WithHint(1, kGauge), WithHint(2, kGauge)})).warnings, IsEmpty());
}

TEST(HistogramRateTest, ExponentialAndCustomBucketsInAWindowGiveAWarning) {
  const TestWindow window = Histograms({TestHistogram(1), Custom({2, 2}, {1}), TestHistogram(9)});
  for (const char* name : {"rate", "sum_over_time", "avg_over_time"}) {
    const Outcome out = CallRange(name, window);
    EXPECT_EQ(Text(out), "none") << name;
    EXPECT_EQ(out.warnings.size(), 1u) << name;
  }
}

TEST(HistogramRateTest, CustomBoundsThatDifferAreReconciledWithAnInfo) {
  const Outcome out = CallRange("irate", Histograms({Custom({1, 1, 1}, {1, 2}), Custom({2, 4}, {2})}));
  EXPECT_EQ(Text(out), "{count:0.3, sum:0, (2,+Inf]:0.3}");
  EXPECT_THAT(out.infos,
              ElementsAre("PromQL info: mismatched custom buckets were reconciled during subtraction (1:6)"));
}

TEST(HistogramRateTest, TheLastTwoSamplesDecideWhatIrateIsOf) {
  TestWindow window = Histograms({TestHistogram(1), TestHistogram(4)});
  window.ts_ms = {5'000};
  window.floats = {1};
  EXPECT_EQ(Text(CallRange("irate", window)), "{count:0.3, sum:0.3, (0.5,1]:0.3}");
  window.ts_ms = {15'000};
  const Outcome mixed = CallRange("irate", window);
  EXPECT_EQ(Text(mixed), "none");
  EXPECT_EQ(mixed.warnings.size(), 1u);
  window.ts_ms = {25'000, 30'000};
  window.floats = {1, 2};
  EXPECT_EQ(CallRange("idelta", window).point.value, 1);
}

TEST(HistogramRateTest, SumsAndMeansOverTimeKeepHints) {
  using enum CounterResetHint;
  const TestWindow window = Histograms({WithHint(1, kNotReset), WithHint(2, kNotReset), WithHint(6, kNotReset)});
  const Outcome sum = CallRange("sum_over_time", window);
  EXPECT_EQ(Text(sum), "{count:9, sum:9, (0.5,1]:9}");
  EXPECT_EQ(sum.point.histogram->hint(), kNotReset);
  EXPECT_EQ(Text(CallRange("avg_over_time", window)), "{count:3, sum:3, (0.5,1]:3}");
  EXPECT_THAT(CallRange("sum_over_time", Histograms({WithHint(1, kReset), WithHint(2, kNotReset)})).warnings,
              ElementsAre("PromQL warning: conflicting counter resets during histogram aggregation (1:6)"));
}

TEST(HistogramRateTest, SmoothedWindowsAreInterpolatedAtBothEnds) {
  TestWindow window = Histograms({TestHistogram(10), TestHistogram(20), TestHistogram(40), TestHistogram(60)});
  window.begin_ms = 15'000;  // 15
  window.end_ms = 35'000;    // 50
  window.smoothed = true;
  EXPECT_EQ(Text(CallRange("increase", window)), "{count:35, sum:35, (0.5,1]:35}");
  window.smoothed = false;
  window.anchored = true;
  window.histograms.pop_back();
  EXPECT_EQ(Text(CallRange("increase", window)), "{count:30, sum:30, (0.5,1]:30}");
}

}  // namespace
}  // namespace varve::promql
