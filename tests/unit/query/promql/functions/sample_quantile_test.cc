#include "query/promql/functions/sample_quantile.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace varve::promql {
namespace {

double Quantile(double q, std::vector<double> values) { return SampleQuantile(q, values); }

TEST(SampleQuantile, LiesBetweenNeighbours) {
  EXPECT_DOUBLE_EQ(Quantile(0, {3, 1, 2}), 1);
  EXPECT_DOUBLE_EQ(Quantile(0.5, {3, 1, 2}), 2);
  EXPECT_DOUBLE_EQ(Quantile(1, {3, 1, 2}), 3);
  EXPECT_DOUBLE_EQ(Quantile(0.8, {0, 10}), 8);
  EXPECT_DOUBLE_EQ(Quantile(0.3, {7}), 7);
}

TEST(SampleQuantile, SortsNanFirst) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(Quantile(0, {1, nan, 2})));
  EXPECT_DOUBLE_EQ(Quantile(0.5, {1, nan, 2}), 1);
}

TEST(SampleQuantile, IsInfiniteOutsideZeroToOne) {
  EXPECT_EQ(Quantile(-0.1, {1}), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(Quantile(1.1, {1}), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(Quantile(0.5, {})));
  EXPECT_TRUE(std::isnan(Quantile(std::numeric_limits<double>::quiet_NaN(), {1})));
}

}  // namespace
}  // namespace varve::promql
