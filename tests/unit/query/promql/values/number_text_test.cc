#include "query/promql/values/number_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace varve::promql {
namespace {

TEST(NumberTextTest, FloatsLookAsGoPrintsThem) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(GoG(0), "0");
  EXPECT_EQ(GoG(-0.5), "-0.5");
  EXPECT_EQ(GoG(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(GoG(123456), "123456");
  EXPECT_EQ(GoG(1e6), "1e+06");
  EXPECT_EQ(GoG(123456789), "1.23456789e+08");
  EXPECT_EQ(GoG(0.0001), "0.0001");
  EXPECT_EQ(GoG(0.00001), "1e-05");
  EXPECT_EQ(GoG(1e100), "1e+100");
  EXPECT_EQ(GoG(kInfinity), "+Inf");
  EXPECT_EQ(GoG(-kInfinity), "-Inf");
  EXPECT_EQ(GoG(std::numeric_limits<double>::quiet_NaN()), "NaN");
}

TEST(NumberTextTest, TwoDigitsAreRounded) {
  EXPECT_EQ(GoG2(3), "3");
  EXPECT_EQ(GoG2(0.12345), "0.12");
  EXPECT_EQ(GoG2(123), "1.2e+02");
}

TEST(NumberTextTest, LabelValuesAlwaysHaveAPoint) {
  EXPECT_EQ(GoOpenMetrics(1), "1.0");
  EXPECT_EQ(GoOpenMetrics(-0.0), "0.0");
  EXPECT_EQ(GoOpenMetrics(0.99), "0.99");
  EXPECT_EQ(GoOpenMetrics(1e6), "1e+06");
  EXPECT_EQ(GoOpenMetrics(std::numeric_limits<double>::infinity()), "+Inf");
}

}  // namespace
}  // namespace varve::promql
