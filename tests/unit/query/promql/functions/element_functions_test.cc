#include "query/promql/functions/element_functions.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace varve::promql {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Case {
  const char* function;
  double in;
  std::vector<double> scalars;
  double expected;
};

TEST(ElementFunctions, GiveTheDocumentedValues) {
  const std::vector<Case> cases = {
      {"abs", -3, {}, 3},
      {"acos", 1, {}, 0},
      {"acosh", 0.5, {}, kNan},
      {"asin", 2, {}, kNan},
      {"asinh", 0, {}, 0},
      {"atan", kInf, {}, std::acos(0.0)},
      {"atanh", 1, {}, kInf},
      {"ceil", 1.2, {}, 2},
      {"cos", 0, {}, 1},
      {"cosh", 0, {}, 1},
      {"deg", std::acos(-1.0), {}, 180},
      {"exp", 0, {}, 1},
      {"exp", kInf, {}, kInf},
      {"floor", -1.2, {}, -2},
      {"ln", 0, {}, -kInf},
      {"ln", -1, {}, kNan},
      {"ln", 5e-324, {}, -1023 * std::log(2.0)},  // as on amd64
      {"ln", -5e-324, {}, kNan},
      {"log10", 5e-324, {}, -307.9536855642528},
      {"log2", 5e-324, {}, -1074},
      {"log2", 8, {}, 3},
      {"log10", 1000, {}, 3},
      {"rad", 180, {}, std::acos(-1.0)},
      {"sgn", -7, {}, -1},
      {"sgn", 0, {}, 0},
      {"sgn", kNan, {}, kNan},
      {"sin", kInf, {}, kNan},
      {"sinh", 0, {}, 0},
      {"sqrt", -1, {}, kNan},
      {"tan", 0, {}, 0},
      {"tanh", kInf, {}, 1},
      {"round", 2.5, {}, 3},
      {"round", -2.5, {}, -2},
      {"round", 1.23, {0.1}, 1.2},
      {"round", 7, {5}, 5},
      {"round", 7, {0}, kNan},
      {"clamp", 5, {0, 3}, 3},
      {"clamp", -5, {0, 3}, 0},
      {"clamp", kNan, {0, 3}, kNan},
      {"clamp", 1, {kNan, 3}, kNan},
      {"clamp_max", 5, {3}, 3},
      {"clamp_max", 5, {kNan}, kNan},
      {"clamp_max", kNan, {-kInf}, -kInf},
      {"clamp_min", 5, {7}, 7},
      {"clamp_min", kNan, {kInf}, kInf},
      {"year", 1'709'208'000, {}, 2024},
      {"month", 1'709'208'000, {}, 2},
      {"day_of_month", 1'709'208'000, {}, 29},
      {"day_of_week", 1'709'208'000, {}, 4},
      {"day_of_year", 1'709'208'000, {}, 60},
      {"days_in_month", 1'709'208'000, {}, 29},
      {"hour", 1'709'208'000, {}, 12},
      {"minute", 3661, {}, 1},
  };
  for (const Case& c : cases) {
    const ElementFunction* function = FindElementFunction(c.function);
    ASSERT_NE(function, nullptr) << c.function;
    ElementCall call;
    call.scalars = c.scalars;
    const Point out = function->fn(call, Point::Float(c.in));
    ASSERT_EQ(out.kind, PointKind::kFloat) << c.function;
    double direct = 0;
    ASSERT_TRUE(function->float_fn(call, c.in, &direct)) << c.function;
    if (std::isnan(c.expected)) {
      EXPECT_TRUE(std::isnan(out.value)) << c.function << "(" << c.in << ")";
    } else {
      EXPECT_DOUBLE_EQ(out.value, c.expected) << c.function << "(" << c.in << ")";
      EXPECT_EQ(direct, out.value) << c.function;
    }
  }
}

TEST(ElementFunctions, DropHistograms) {
  for (const char* name : {"abs", "round", "clamp_min", "hour"}) {
    ElementCall call;
    const std::vector<double> scalars = {1, 2};
    call.scalars = scalars;
    EXPECT_EQ(FindElementFunction(name)->fn(call, Point::Histogram(nullptr)).kind, PointKind::kNone) << name;
  }
}

TEST(Clamp, IsNothingWhenItsBoundsAreReversed) {
  ElementCall call;
  const std::vector<double> scalars = {3, 0};
  call.scalars = scalars;
  EXPECT_EQ(FindElementFunction("clamp")->fn(call, Point::Float(1)).kind, PointKind::kNone);
}

TEST(ElementFunctions, OfOtherKindsAreNotFound) {
  for (const char* name : {"", "rate", "pi", "scalar", "time", "label_replace", "zzz"}) {
    EXPECT_EQ(FindElementFunction(name), nullptr) << name;
  }
}

}  // namespace
}  // namespace varve::promql
