#include "query/promql/values/histogram_quantile.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace varve::promql {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

FloatHistogram Exponential(std::vector<double> counts, int32_t offset, double extra_count = 0, double sum = 1) {
  NativeHistogram native;
  native.is_float = true;
  native.sum = sum;
  native.positive_spans = {{offset, static_cast<uint32_t>(counts.size())}};
  native.float_count = extra_count;
  for (const double c : counts) native.float_count += c;
  native.positive_counts = std::move(counts);
  return FloatHistogram::FromNative(native);
}

FloatHistogram Custom(std::vector<double> counts, std::vector<double> bounds) {
  NativeHistogram native = Exponential(counts, 0).ToNative();
  native.schema = kCustomBucketsSchema;
  native.custom_values = std::move(bounds);
  return FloatHistogram::FromNative(native);
}

TEST(HistogramQuantileTest, ExponentialBucketsAreInterpolatedOnALogarithmicScale) {
  const FloatHistogram h = Exponential({4, 4}, 1);  // (1,2] (2,4]
  EXPECT_DOUBLE_EQ(HistogramQuantile(0.25, h).value, std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(HistogramQuantile(0.75, h).value, std::sqrt(8.0));
  EXPECT_EQ(HistogramQuantile(1, h).value, 4);
  EXPECT_EQ(HistogramQuantile(-0.1, h).value, -kInfinity);
  EXPECT_EQ(HistogramQuantile(1.1, h).value, kInfinity);
  EXPECT_TRUE(std::isnan(HistogramQuantile(kNan, h).value));
  EXPECT_TRUE(std::isnan(HistogramQuantile(0.5, FloatHistogram()).value));
}

TEST(HistogramQuantileTest, CustomBucketsAreInterpolatedLinearly) {
  const FloatHistogram h = Custom({2, 4, 2}, {10, 20});
  EXPECT_EQ(HistogramQuantile(0.125, h).value, 5);   // the first bucket is taken to begin at 0
  EXPECT_EQ(HistogramQuantile(0.5, h).value, 15);
  EXPECT_EQ(HistogramQuantile(0.9, h).value, 20);    // the last has no end
  EXPECT_EQ(HistogramQuantile(0.1, Custom({2, 4}, {-3})).value, -3);
}

TEST(HistogramQuantileTest, NanObservationsCountAsTheHighest) {
  const FloatHistogram h = Exponential({4, 4}, 1, 2, kNan);
  EXPECT_EQ(HistogramQuantile(0.95, h).nan, NanNote::kResultIsNan);
  EXPECT_TRUE(std::isnan(HistogramQuantile(0.95, h).value));
  const NativeEstimate median = HistogramQuantile(0.5, h);
  EXPECT_EQ(median.nan, NanNote::kSkewedHigher);
  EXPECT_DOUBLE_EQ(median.value, std::exp2(1.25));
  // As in Prometheus, the part of its bucket where the rank lies is taken of the last bucket.
  EXPECT_DOUBLE_EQ(HistogramQuantile(0.2, h).value, std::exp2(1.5));
  EXPECT_EQ(HistogramFraction(-kInfinity, kInfinity, h).nan, NanNote::kExcluded);
  EXPECT_DOUBLE_EQ(HistogramFraction(-kInfinity, kInfinity, h).value, 0.8);
}

TEST(HistogramQuantileTest, FractionsInvertQuantiles) {
  const FloatHistogram h = Exponential({1, 5, 3, 7}, -1);
  for (const double q : {0.1, 0.3, 0.5, 0.8, 0.95}) {
    EXPECT_NEAR(HistogramFraction(-kInfinity, HistogramQuantile(q, h).value, h).value, q, 1e-12);
  }
  EXPECT_EQ(HistogramFraction(2, 1, h).value, 0);
  EXPECT_TRUE(std::isnan(HistogramFraction(kNan, 1, h).value));
}

TEST(ClassicHistogramTest, QuantilesAreInterpolatedLinearly) {
  MonotonicityFix fix;
  std::vector<ClassicBucket> buckets = {{kInfinity, 10}, {1, 4}, {2, 8}};
  EXPECT_DOUBLE_EQ(ClassicQuantile(0.6, &buckets, &fix), 1.5);
  EXPECT_FALSE(fix.forced);
  EXPECT_EQ(ClassicQuantile(0.95, &buckets, &fix), 2);
  std::vector<ClassicBucket> below_zero = {{-1, 5}, {kInfinity, 10}};
  EXPECT_EQ(ClassicQuantile(0.2, &below_zero, &fix), -1);
}

TEST(ClassicHistogramTest, BucketsOfOneBoundAreAddedUp) {
  MonotonicityFix fix;
  std::vector<ClassicBucket> buckets = {{1, 1}, {1, 3}, {kInfinity, 5}, {kInfinity, 3}};
  EXPECT_DOUBLE_EQ(ClassicQuantile(0.25, &buckets, &fix), 0.5);
}

TEST(ClassicHistogramTest, FallingCountsAreRaisedAndTold) {
  MonotonicityFix fix;
  std::vector<ClassicBucket> buckets = {{1, 10}, {2, 8}, {4, 7}, {kInfinity, 20}};
  EXPECT_DOUBLE_EQ(ClassicQuantile(0.25, &buckets, &fix), 0.5);
  EXPECT_TRUE(fix.forced);
  EXPECT_EQ(fix.min_bound, 2);
  EXPECT_EQ(fix.max_bound, 4);
  EXPECT_EQ(fix.max_diff, 3);
  std::vector<ClassicBucket> rounding = {{1, 10}, {2, 10 - 1e-12}, {kInfinity, 20}};
  ClassicQuantile(0.25, &rounding, &fix);
  EXPECT_FALSE(fix.forced);
}

TEST(ClassicHistogramTest, WithoutABucketForAllThereIsNoAnswer) {
  MonotonicityFix fix;
  std::vector<ClassicBucket> open = {{1, 10}, {2, 20}};
  EXPECT_TRUE(std::isnan(ClassicQuantile(0.5, &open, &fix)));
  EXPECT_TRUE(std::isnan(ClassicFraction(0, 1, &open)));
  std::vector<ClassicBucket> nan_bound = {{kNan, 1}, {kInfinity, 2}, {1, 1}};
  EXPECT_TRUE(std::isnan(ClassicQuantile(0.5, &nan_bound, &fix)));
  std::vector<ClassicBucket> empty = {{1, 0}, {kInfinity, 0}};
  EXPECT_TRUE(std::isnan(ClassicQuantile(0.5, &empty, &fix)));
}

TEST(ClassicHistogramTest, FractionsAreInterpolatedLinearly) {
  std::vector<ClassicBucket> buckets = {{1, 4}, {2, 8}, {kInfinity, 10}};
  EXPECT_DOUBLE_EQ(ClassicFraction(0.5, 1.5, &buckets), 0.4);
  EXPECT_DOUBLE_EQ(ClassicFraction(-kInfinity, kInfinity, &buckets), 1);
  EXPECT_DOUBLE_EQ(ClassicFraction(2, kInfinity, &buckets), 0.2);
}

}  // namespace
}  // namespace varve::promql
