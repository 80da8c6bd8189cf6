#include "query/promql/functions/histogram_binary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/query/promql/functions/window_fixture.h"

namespace varve::promql {
namespace {

using ::testing::ElementsAre;

struct BinaryOutcome {
  HistogramBinaryResult result;
  std::vector<std::string> notes;
};

BinaryOutcome Apply(BinaryOp op, const Point& lhs, const Point& rhs) {
  Annotations notes;
  BinaryOutcome out;
  out.result = ApplyHistogramBinary(op, lhs, rhs, {0, 1}, &notes);
  out.notes = notes.Warnings("a + b", 0);
  for (std::string& info : notes.Infos("a + b", 0)) out.notes.push_back(std::move(info));
  return out;
}

Point Native(double count, CounterResetHint hint = CounterResetHint::kUnknown) {
  FloatHistogram h = *TestHistogram(count);
  h.set_hint(hint);
  return Point::Histogram(std::make_shared<const FloatHistogram>(std::move(h)));
}

TEST(HistogramBinaryTest, SumsDifferencesProductsAndQuotients) {
  EXPECT_EQ(Apply(BinaryOp::kAdd, Native(2), Native(3)).result.point.histogram->count(), 5);
  const HistogramBinaryResult difference = Apply(BinaryOp::kSub, Native(3), Native(1)).result;
  EXPECT_EQ(difference.point.histogram->count(), 2);
  EXPECT_TRUE(difference.point.histogram->is_gauge());
  EXPECT_EQ(Apply(BinaryOp::kMul, Point::Float(3), Native(2)).result.point.histogram->count(), 6);
  EXPECT_EQ(Apply(BinaryOp::kDiv, Native(3), Point::Float(2)).result.point.histogram->count(), 1.5);
  EXPECT_EQ(Apply(BinaryOp::kTrimUpper, Native(3), Point::Float(0.5)).result.point.histogram->slots(), 0u);
  EXPECT_EQ(Apply(BinaryOp::kTrimLower, Native(3), Point::Float(0.5)).result.point.histogram->count(), 3);
}

TEST(HistogramBinaryTest, ComparisonsKeepTheLeftSide) {
  EXPECT_TRUE(Apply(BinaryOp::kEq, Native(3), Native(3, CounterResetHint::kGauge)).result.keep);
  EXPECT_FALSE(Apply(BinaryOp::kEq, Native(3), Native(4)).result.keep);
  const HistogramBinaryResult unequal = Apply(BinaryOp::kNe, Native(3), Native(4)).result;
  EXPECT_TRUE(unequal.keep);
  EXPECT_EQ(unequal.point.histogram->count(), 3);
}

TEST(HistogramBinaryTest, OtherCombinationsGiveNothingAndAnInfo) {
  struct Case {
    BinaryOp op;
    Point lhs, rhs;
    std::string text;
  };
  for (const Case& c : {Case{BinaryOp::kAdd, Native(1), Point::Float(1), "\"+\": histogram + float"},
                        Case{BinaryOp::kDiv, Point::Float(1), Native(1), "\"/\": float / histogram"},
                        Case{BinaryOp::kMul, Native(1), Native(1), "\"*\": histogram * histogram"},
                        Case{BinaryOp::kGt, Native(1), Native(1), "\">\": histogram > histogram"},
                        Case{BinaryOp::kTrimUpper, Point::Float(1), Point::Float(2), "\"</\": float </ float"}}) {
    const BinaryOutcome out = Apply(c.op, c.lhs, c.rhs);
    EXPECT_TRUE(out.result.failed);
    EXPECT_THAT(out.notes, ElementsAre("PromQL info: incompatible sample types encountered for binary operator " +
                                       c.text + " (1:1)"));
  }
}

TEST(HistogramBinaryTest, ConflictingResetsAreWarnedOf) {
  const BinaryOutcome out =
      Apply(BinaryOp::kAdd, Native(1, CounterResetHint::kReset), Native(1, CounterResetHint::kNotReset));
  EXPECT_TRUE(out.result.failed);
  EXPECT_THAT(out.notes,
              ElementsAre("PromQL warning: conflicting counter resets during histogram addition (1:1)"));
}

}  // namespace
}  // namespace varve::promql
