#include "query/exec/vector_aggregation.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/support/memory_engine.h"

namespace varve {
namespace {

using logql::Grouping;
using logql::VectorAggregation;
using logql::VectorOp;

std::string Text(const SeriesSet& set) {
  std::string text;
  for (const Series& series : set) {
    text += text.empty() ? "{" : " {";
    for (const auto& [name, value] : series.labels) text += name + value;
    text += "}";
    for (const StepPoint& point : series.points) {
      char number[64];
      std::snprintf(number, sizeof(number), " %u:%g", point.step, point.value);
      text += number;
    }
  }
  return text;
}

class VectorAggregationTest : public ::testing::Test {
 protected:
  std::string Aggregate(VectorOp op, std::optional<Grouping> grouping, const SeriesSet& operand,
                        int64_t k = 0, bool instant = false) {
    VectorAggregation aggregation;
    aggregation.op = op;
    aggregation.grouping = std::move(grouping);
    aggregation.parameter = k;
    request_.instant = instant;
    auto result = AggregateVector(query_, aggregation, operand, 4);
    return result.ok() ? Text(*result) : result.status().message();
  }

  testing::MemoryEngine engine_;
  QueryRequest request_;
  QueryLimits limits_;
  QueryContext query_{engine_, request_, limits_};

  const SeriesSet series_ = {{{{"a", "1"}, {"b", "x"}}, {{0, 1}, {1, 5}}},
                             {{{"a", "1"}, {"b", "y"}}, {{1, 3}, {3, 2}}},
                             {{{"a", "2"}, {"b", "x"}}, {{1, 4}}}};
};

TEST_F(VectorAggregationTest, FoldsEachStepByItself) {
  EXPECT_EQ(Aggregate(VectorOp::kSum, {}, series_), "{} 0:1 1:12 3:2");
  EXPECT_EQ(Aggregate(VectorOp::kAvg, {}, series_), "{} 0:1 1:4 3:2");
  EXPECT_EQ(Aggregate(VectorOp::kCount, {}, series_), "{} 0:1 1:3 3:1");
  EXPECT_EQ(Aggregate(VectorOp::kMin, {}, series_), "{} 0:1 1:3 3:2");
  EXPECT_EQ(Aggregate(VectorOp::kMax, {}, series_), "{} 0:1 1:5 3:2");
  EXPECT_EQ(Aggregate(VectorOp::kStdvar, {}, series_), "{} 0:0 1:0.666667 3:0");
  EXPECT_EQ(Aggregate(VectorOp::kStddev, {}, series_), "{} 0:0 1:0.816497 3:0");
}

TEST_F(VectorAggregationTest, GroupsByAndWithout) {
  EXPECT_EQ(Aggregate(VectorOp::kSum, Grouping{false, {"a"}}, series_), "{a1} 0:1 1:8 3:2 {a2} 1:4");
  EXPECT_EQ(Aggregate(VectorOp::kSum, Grouping{true, {"a"}}, series_), "{bx} 0:1 1:9 {by} 1:3 3:2");
  EXPECT_EQ(Aggregate(VectorOp::kSum, Grouping{false, {"nosuch"}}, series_), "{} 0:1 1:12 3:2");
  EXPECT_EQ(Aggregate(VectorOp::kSum, {}, {}), "");
}

TEST_F(VectorAggregationTest, TopkChoosesPerStepAndKeepsLabels) {
  EXPECT_EQ(Aggregate(VectorOp::kTopk, {}, series_, 1), "{a1bx} 0:1 1:5 {a1by} 3:2");
  EXPECT_EQ(Aggregate(VectorOp::kTopk, {}, series_, 2), "{a1bx} 0:1 1:5 {a1by} 3:2 {a2bx} 1:4");
  EXPECT_EQ(Aggregate(VectorOp::kBottomk, {}, series_, 1), "{a1bx} 0:1 {a1by} 1:3 3:2");
  EXPECT_EQ(Aggregate(VectorOp::kTopk, Grouping{false, {"a"}}, series_, 1),
            "{a1bx} 0:1 1:5 {a1by} 3:2 {a2bx} 1:4");
  EXPECT_EQ(Aggregate(VectorOp::kApproxTopk, {}, series_, 1), Aggregate(VectorOp::kTopk, {}, series_, 1));
}

TEST_F(VectorAggregationTest, OrdersInstantVectorsByValueWithNaNLastAndTiesByLabels) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const SeriesSet values = {{{{"a", "1"}}, {{0, nan}}},
                            {{{"a", "2"}}, {{0, 5}}},
                            {{{"a", "3"}}, {{0, 7}}},
                            {{{"a", "4"}}, {{0, 5}}}};
  EXPECT_EQ(Aggregate(VectorOp::kSort, {}, values, 0, true), "{a2} 0:5 {a4} 0:5 {a3} 0:7 {a1} 0:nan");
  EXPECT_EQ(Aggregate(VectorOp::kSortDesc, {}, values, 0, true), "{a3} 0:7 {a2} 0:5 {a4} 0:5 {a1} 0:nan");
  EXPECT_EQ(Aggregate(VectorOp::kTopk, {}, values, 2, true), "{a3} 0:7 {a2} 0:5");
  EXPECT_EQ(Aggregate(VectorOp::kBottomk, {}, values, 3, true), "{a2} 0:5 {a4} 0:5 {a3} 0:7");
  EXPECT_EQ(Aggregate(VectorOp::kTopk, {}, values, 9, true), "{a3} 0:7 {a2} 0:5 {a4} 0:5 {a1} 0:nan");
  EXPECT_EQ(Aggregate(VectorOp::kSortDesc, {}, values, 0, false), Text(values));  // no effect on a range
}

}  // namespace
}  // namespace varve
