#include "query/exec/binary_operation.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/memory_engine.h"

#include "query/logql/arithmetic.h"

namespace varve {
namespace {

using logql::BinaryOp;
using logql::BinaryOperation;
using Cardinality = logql::VectorMatching::Cardinality;

constexpr uint32_t kSteps = 3;

Series Make(LabelPairs labels, std::vector<StepPoint> points) {
  return {std::move(labels), std::move(points)};
}

std::string Text(const SeriesSet& set) {
  std::string text;
  for (const Series& series : set) {
    text += text.empty() ? "{" : " {";
    for (const auto& [name, value] : series.labels) text += name + "=" + value + ",";
    if (!series.labels.empty()) text.pop_back();
    text += "}";
    for (const StepPoint& point : series.points) {
      char number[64];
      std::snprintf(number, sizeof(number), " %u:%g", point.step, point.value);
      text += number;
    }
  }
  return text;
}

class BinaryOperationTest : public ::testing::Test {
 protected:
  std::string Apply(const BinaryOperation& operation, MetricValue left, MetricValue right) {
    auto result = ApplyBinary(query_, operation, std::move(left), std::move(right), kSteps);
    if (!result.ok()) return result.status().message();
    if (const double* number = std::get_if<double>(&*result)) return std::to_string(*number);
    return Text(std::get<SeriesSet>(*result));
  }

  static BinaryOperation Op(BinaryOp op) {
    BinaryOperation operation;
    operation.op = op;
    return operation;
  }
  static BinaryOperation On(BinaryOp op, std::vector<std::string> labels, Cardinality cardinality,
                            std::vector<std::string> include = {}) {
    BinaryOperation operation = Op(op);
    operation.matching.on = true;
    operation.matching.labels = std::move(labels);
    operation.matching.cardinality = cardinality;
    operation.matching.include = std::move(include);
    return operation;
  }

  testing::MemoryEngine engine_;
  QueryRequest request_;
  QueryLimits limits_;
  QueryContext query_{engine_, request_, limits_};

  const SeriesSet small_ = {Make({{"a", "1"}}, {{0, 6}, {1, 8}}), Make({{"a", "2"}}, {{1, 3}})};
  const SeriesSet other_ = {Make({{"a", "1"}}, {{1, 2}, {2, 9}}), Make({{"a", "3"}}, {{0, 1}})};
  const SeriesSet fine_ = {Make({{"a", "1"}, {"b", "x"}}, {{0, 1}, {1, 2}}),
                           Make({{"a", "1"}, {"b", "y"}}, {{1, 4}})};
};

TEST_F(BinaryOperationTest, DividesByZeroToNaN) {
  EXPECT_TRUE(std::isnan(ApplyToNumbers(BinaryOp::kDiv, 1, 0)));
  EXPECT_TRUE(std::isnan(ApplyToNumbers(BinaryOp::kMod, 1, 0)));
  EXPECT_EQ(ApplyToNumbers(BinaryOp::kMod, -5, 3), -2);
  EXPECT_EQ(ApplyToNumbers(BinaryOp::kPow, 2, -1), 0.5);
}

TEST_F(BinaryOperationTest, ComparesNumbersToZeroOrOne) {
  EXPECT_EQ(Apply(Op(BinaryOp::kGt), 1.0, 2.0), "0.000000");
  EXPECT_EQ(Apply(Op(BinaryOp::kLe), 1.0, 2.0), "1.000000");
}

TEST_F(BinaryOperationTest, AppliesNumbersPointByPoint) {
  EXPECT_EQ(Apply(Op(BinaryOp::kMul), small_, 2.0), "{a=1} 0:12 1:16 {a=2} 1:6");
  EXPECT_EQ(Apply(Op(BinaryOp::kSub), 10.0, small_), "{a=1} 0:4 1:2 {a=2} 1:7");
}

TEST_F(BinaryOperationTest, FiltersKeepTheVectorsValue) {
  EXPECT_EQ(Apply(Op(BinaryOp::kGt), small_, 5.0), "{a=1} 0:6 1:8");
  EXPECT_EQ(Apply(Op(BinaryOp::kGt), 7.0, small_), "{a=1} 0:6 {a=2} 1:3");
  BinaryOperation bool_op = Op(BinaryOp::kGt);
  bool_op.return_bool = true;
  EXPECT_EQ(Apply(bool_op, small_, 7.0), "{a=1} 0:0 1:1 {a=2} 1:0");
}

TEST_F(BinaryOperationTest, MatchesVectorsByAllLabelsAndSteps) {
  EXPECT_EQ(Apply(Op(BinaryOp::kDiv), small_, other_), "{a=1} 1:4");
  EXPECT_EQ(Apply(Op(BinaryOp::kLt), small_, other_), "");
  EXPECT_EQ(Apply(Op(BinaryOp::kGt), small_, other_), "{a=1} 1:8");
}

TEST_F(BinaryOperationTest, GroupLeftKeepsTheManySidesLabels) {
  EXPECT_EQ(Apply(On(BinaryOp::kDiv, {"a"}, Cardinality::kManyToOne), fine_, small_),
            "{a=1,b=x} 0:0.166667 1:0.25 {a=1,b=y} 1:0.5");
  EXPECT_EQ(Apply(On(BinaryOp::kDiv, {"a"}, Cardinality::kOneToMany), small_, fine_),
            "{a=1,b=x} 0:6 1:4 {a=1,b=y} 1:2");
  // A comparison keeps the left value, whichever side is many.
  EXPECT_EQ(Apply(On(BinaryOp::kGt, {"a"}, Cardinality::kOneToMany), small_, fine_),
            "{a=1,b=x} 0:6 1:8 {a=1,b=y} 1:8");
}

TEST_F(BinaryOperationTest, GroupLeftCopiesTheIncludedLabels) {
  const SeriesSet info = {Make({{"a", "1"}, {"v", "7"}}, {{0, 1}, {1, 1}})};
  EXPECT_EQ(
      Apply(On(BinaryOp::kMul, {"a"}, Cardinality::kManyToOne, {"v", "b"}), {SeriesSet{fine_[0]}}, info),
      "{a=1,v=7} 0:1 1:2");
}

TEST_F(BinaryOperationTest, RefusesAmbiguousMatchesWithLokisTexts) {
  EXPECT_EQ(Apply(On(BinaryOp::kDiv, {"a"}, Cardinality::kOneToOne), fine_, small_),
            "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)");
  EXPECT_EQ(
      Apply(On(BinaryOp::kDiv, {"a"}, Cardinality::kOneToOne), small_, fine_),
      "found duplicate series on the right hand-side;many-to-many matching not allowed: matching labels must "
      "be unique on one side");
  EXPECT_EQ(Apply(On(BinaryOp::kDiv, {"a"}, Cardinality::kOneToMany), fine_, small_).substr(0, 48),
            "found duplicate series on the left hand-side;man");
  EXPECT_EQ(Apply(On(BinaryOp::kDiv, {"a"}, Cardinality::kManyToOne, {"b"}), fine_, small_),
            "multiple matches for labels: grouping labels must ensure unique matches");
}

TEST_F(BinaryOperationTest, SeriesThatTakeTurnsDoNotCollide) {
  const SeriesSet turns = {Make({{"a", "1"}, {"b", "x"}}, {{0, 1}}),
                           Make({{"a", "1"}, {"b", "y"}}, {{1, 4}})};
  EXPECT_EQ(Apply(On(BinaryOp::kAdd, {"a"}, Cardinality::kOneToOne), small_, turns), "{a=1} 0:7 1:12");
  EXPECT_EQ(Apply(On(BinaryOp::kAdd, {"a"}, Cardinality::kOneToOne), turns, small_), "{a=1} 0:7 1:12");
}

TEST_F(BinaryOperationTest, SetOperationsWorkStepByStep) {
  EXPECT_EQ(Apply(Op(BinaryOp::kAnd), small_, other_), "{a=1} 1:8");
  EXPECT_EQ(Apply(Op(BinaryOp::kUnless), small_, other_), "{a=1} 0:6 {a=2} 1:3");
  EXPECT_EQ(Apply(Op(BinaryOp::kOr), small_, other_), "{a=1} 0:6 1:8 2:9 {a=2} 1:3 {a=3} 0:1");
  EXPECT_EQ(Apply(On(BinaryOp::kUnless, {"a"}, Cardinality::kOneToOne), fine_, small_), "");
  EXPECT_EQ(Apply(On(BinaryOp::kOr, {}, Cardinality::kOneToOne), small_, other_),
            "{a=1} 0:6 1:8 2:9 {a=2} 1:3");
}

}  // namespace
}  // namespace varve
