#include "query/templates/decimal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace varve::templates {
namespace {

using Op = DecimalOperation;

double Fold(Op operation, double first, const std::vector<double>& rest) {
  double result = NAN;
  std::string error;
  EXPECT_TRUE(FoldDecimals(operation, first, rest, &result, &error)) << error;
  return result;
}

TEST(Decimal, IsExact) {
  EXPECT_EQ(Fold(Op::kAdd, 0.1, {0.2}), 0.3);
  EXPECT_EQ(Fold(Op::kSubtract, 0.3, {0.1, 0.2}), 0);
  EXPECT_EQ(Fold(Op::kMultiply, 1.1, {1.1}), 1.21);
  EXPECT_EQ(Fold(Op::kMultiply, -3, {1e-300, 1e-300}), 0);
  EXPECT_EQ(Fold(Op::kMultiply, -1e300, {1e300}), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(Fold(Op::kAdd, 1e300, {1e-300, -1e300}), 1e-300);
}

TEST(Decimal, DividesTo16Places) {
  EXPECT_EQ(Fold(Op::kDivide, 1, {3}), 0.3333333333333333);
  EXPECT_EQ(Fold(Op::kDivide, -2, {3}), -0.6666666666666667);
  EXPECT_EQ(Fold(Op::kDivide, 1, {1e20}), 0);
  EXPECT_EQ(Fold(Op::kDivide, 10, {2, 4}), 1.25);
  EXPECT_EQ(Fold(Op::kDivide, 1, {1e-5}), 100000);
}

TEST(Decimal, Fails) {
  double result = 0;
  std::string error;
  const std::vector<double> zero = {0.0};
  EXPECT_FALSE(FoldDecimals(Op::kDivide, 1, zero, &result, &error));
  EXPECT_EQ(error, "decimal division by 0");
  EXPECT_FALSE(FoldDecimals(Op::kAdd, INFINITY, zero, &result, &error));
  EXPECT_EQ(error, "Cannot create a Decimal from +Inf");
}

}  // namespace
}  // namespace varve::templates
