#include "tests/unit/query/promql/eval/eval_fixture.h"

namespace varve::promql {
namespace {

class AggregationTest : public EvalTest {
 protected:
  void SetUp() override {
    Load("m{g=\"a\",i=\"1\"}", "1 10");
    Load("m{g=\"a\",i=\"2\"}", "3 5");
    Load("m{g=\"b\",i=\"1\"}", "4 nan");
  }
};

TEST_F(AggregationTest, FoldsGroups) {
  EXPECT_EQ(At(0, "sum by (g) (m)"), "{g=\"a\"} 4@0\n{g=\"b\"} 4@0");
  EXPECT_EQ(At(0, "avg without (i) (m)"), "{g=\"a\"} 2@0\n{g=\"b\"} 4@0");
  EXPECT_EQ(At(0, "count(m)"), "{} 3@0");
  EXPECT_EQ(At(0, "group by (i) (m)"), "{i=\"1\"} 1@0\n{i=\"2\"} 1@0");
  EXPECT_EQ(At(0, "stdvar by (g) (m)"), "{g=\"a\"} 1@0\n{g=\"b\"} 0@0");
  EXPECT_EQ(At(0, "stddev by (g) (m)"), "{g=\"a\"} 1@0\n{g=\"b\"} 0@0");
  EXPECT_EQ(At(kMinute, "max(m)"), "{} 10@60");
  EXPECT_EQ(At(kMinute, "min by (g) (m)"), "{g=\"a\"} 5@60\n{g=\"b\"} NaN@60");
  EXPECT_EQ(At(0, "sum(m{g=\"c\"})"), "");
}

TEST_F(AggregationTest, SumsWithCompensation) {
  Load("big{i=\"1\"}", "1e100");
  Load("big{i=\"2\"}", "1");
  Load("big{i=\"3\"}", "-1e100");
  EXPECT_EQ(At(0, "sum(big)"), "{} 1@0");
  EXPECT_EQ(At(0, "avg(big) * 3"), "{} 1@0");
  Load("huge{i=\"1\"}", "1.7e308");
  Load("huge{i=\"2\"}", "1.7e308");
  EXPECT_EQ(At(0, "sum(huge)"), "{} +Inf@0");
  EXPECT_EQ(At(0, "avg(huge)"), "{} 1.7e+308@0");
}

TEST_F(AggregationTest, SelectsTheBestOfEachGroup) {
  EXPECT_EQ(At(0, "topk(1, m) by (g)"), "m{g=\"a\", i=\"2\"} 3@0\nm{g=\"b\", i=\"1\"} 4@0");
  EXPECT_EQ(At(0, "topk(2, m)"), "m{g=\"b\", i=\"1\"} 4@0\nm{g=\"a\", i=\"2\"} 3@0");
  EXPECT_EQ(At(kMinute, "topk(3, m)"),
            "m{g=\"a\", i=\"1\"} 10@60\nm{g=\"a\", i=\"2\"} 5@60\nm{g=\"b\", i=\"1\"} NaN@60");
  EXPECT_EQ(At(kMinute, "bottomk(2, m)"), "m{g=\"a\", i=\"2\"} 5@60\nm{g=\"a\", i=\"1\"} 10@60");
  EXPECT_EQ(Range(0, kMinute, kMinute, "topk(1, m)"), "m{g=\"a\", i=\"1\"} 10@60\nm{g=\"b\", i=\"1\"} 4@0");
  EXPECT_EQ(At(0, "topk(0, m)"), "");
  EXPECT_EQ(At(0, "topk(-Inf, m)"), "");
  EXPECT_EQ(At(0, "topk(NaN, m)"), "error: Parameter value is NaN");
  EXPECT_EQ(At(0, "topk(1e30, m)"), "error: Scalar value 1e+30 overflows int64");
  EXPECT_EQ(At(0, "limitk(1, m) by (g)"), "m{g=\"a\", i=\"1\"} 1@0\nm{g=\"b\", i=\"1\"} 4@0");
}

TEST_F(AggregationTest, TakesDisjointPartsByRatio) {
  EXPECT_EQ(At(0, "limit_ratio(0, m)"), "");
  EXPECT_EQ(At(0, "count(limit_ratio(1, m))"), "{} 3@0");
  EXPECT_EQ(At(0, "limit_ratio(0.5, m) and limit_ratio(-0.5, m)"), "");
  EXPECT_EQ(At(0, "count(limit_ratio(0.5, m) or limit_ratio(-0.5, m))"), "{} 3@0");
  EXPECT_THAT(Notes(0, "limit_ratio(1.5, m)"),
              ::testing::ElementsAre(
                  "PromQL warning: ratio value should be between -1 and 1, got 1.5, capping to 1 (1:13)"));
}

TEST_F(AggregationTest, FindsQuantiles) {
  EXPECT_EQ(At(0, "quantile(0.5, m)"), "{} 3@0");
  EXPECT_EQ(At(0, "quantile by (g) (0.25, m)"), "{g=\"a\"} 1.5@0\n{g=\"b\"} 4@0");
  EXPECT_EQ(At(0, "quantile(2, m)"), "{} +Inf@0");
  EXPECT_THAT(Notes(0, "quantile(2, m)"),
              ::testing::ElementsAre("PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)"));
}

TEST_F(AggregationTest, CountsValues) {
  Load("v{i=\"1\"}", "1 2");
  Load("v{i=\"2\"}", "1 1");
  EXPECT_EQ(Range(0, kMinute, kMinute, "count_values(\"x\", v)"), "{x=\"1\"} 2@0 1@60\n{x=\"2\"} 1@60");
  EXPECT_EQ(At(0, "count_values without (i) (\"g\", m)"), "{g=\"1\"} 1@0\n{g=\"3\"} 1@0\n{g=\"4\"} 1@0");
  EXPECT_EQ(At(0, "count_values(\"\", v)"), "error: invalid label name \"\"");
}

TEST_F(AggregationTest, AddsNativeHistogramsAndRefusesMixtures) {
  LoadHistograms("h{i=\"1\"}", {Counts({1, 2})});
  LoadHistograms("h{i=\"2\"}", {Counts({3, 4})});
  EXPECT_EQ(At(0, "sum(h)"), "{} h10@0");
  EXPECT_EQ(At(0, "avg(h)"), "{} h5@0");
  EXPECT_EQ(At(0, "count(h)"), "{} 2@0");
  Load("h{i=\"3\"}", "5");
  EXPECT_EQ(At(0, "max(h)"), "{} 5@0");
  EXPECT_THAT(Notes(0, "max(h)"), ::testing::ElementsAre("PromQL info: ignored histogram in max aggregation (1:5)"));
  EXPECT_EQ(At(0, "sum(h)"), "");
  EXPECT_THAT(Notes(0, "sum(h)"), ::testing::ElementsAre("PromQL warning: encountered a mix of histograms and floats "
                                                         "for aggregation (1:5)"));
}

}  // namespace
}  // namespace varve::promql
