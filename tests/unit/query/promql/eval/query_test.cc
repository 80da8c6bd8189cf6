#include "tests/unit/query/promql/eval/eval_fixture.h"

namespace varve::promql {
namespace {

class QueryTest : public EvalTest {};

TEST_F(QueryTest, GivesScalarsStringsAndConstants) {
  EXPECT_EQ(At(0, "\"text\""), "string text");
  EXPECT_EQ(At(90'000, "time()"), "scalar 90");
  EXPECT_EQ(At(0, "vector(3)"), "{} 3@0");
  EXPECT_EQ(Range(kMinute, 3 * kMinute, kMinute, "start() + end() + step() + range()"), "{} 420@60 420@120 420@180");
  EXPECT_EQ(At(kMinute, "step() + range()"), "scalar 0");
  EXPECT_EQ(At(0, "max_of(2, min_of(3, 4))"), "scalar 3");
}

TEST_F(QueryTest, TakesTheOnlyFloatAsScalar) {
  Load("m{a=\"1\"}", "5");
  EXPECT_EQ(At(0, "scalar(m)"), "scalar 5");
  Load("m{a=\"2\"}", "6");
  EXPECT_EQ(At(0, "scalar(m)"), "scalar NaN");
  EXPECT_EQ(At(0, "scalar(none)"), "scalar NaN");
}

TEST_F(QueryTest, RefusesRequestsThatMakeNoSense) {
  EXPECT_EQ(Range(0, kMinute, kMinute, "m[5m]"),
            "error: invalid expression type \"range vector\" for range query, must be Scalar or instant Vector");
  EXPECT_EQ(Range(0, kMinute, kMinute, "\"x\""),
            "error: invalid expression type \"string\" for range query, must be Scalar or instant Vector");
  EXPECT_EQ(Range(kMinute, 0, kMinute, "1"), "error: end timestamp must not be before start time");
  EXPECT_EQ(Range(0, 11'001, 1, "1"),
            "error: exceeded maximum resolution of 11000 points per timeseries. Try decreasing the query resolution "
            "(?step=XX)");
  EXPECT_THAT(At(0, "sum("), ::testing::StartsWith("error: 1:5: parse error:"));
}

TEST_F(QueryTest, StopsAtTheLimitOfSamples) {
  Load("m{a=\"1\"}", "1 2 3 4 5");
  Load("m{a=\"2\"}", "1 2 3 4 5");
  const std::string too_many =
      "error: query processing would load too many samples into memory in query execution";
  options_.samples_max = 9;
  EXPECT_EQ(Range(0, 4 * kMinute, kMinute, "m"), too_many);
  EXPECT_EQ(At(0, "count_over_time(vector(1)[1y:1ms])"), too_many);
  // Folded series by series, never held.
  EXPECT_EQ(Range(0, kMinute, kMinute, "sum(m)"), "{} 2@0 4@60");
}

TEST_F(QueryTest, StopsAtTheLimitOfBytesAndNamesIt) {
  Load("m", "1 2 3 4 5");
  MemoryBudget budget("query", 20);
  budget_ = &budget;
  const Result<QueryResult> result = Query({.query = "m", .start_ms = 0, .end_ms = 4 * kMinute, .step_ms = kMinute});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), Code::kExecution);
  EXPECT_THAT(result.status().message(), ::testing::HasSubstr("limits.max_query_memory"));
  EXPECT_EQ(budget.used_bytes(), 0);
}

TEST_F(QueryTest, StopsWhenCancelled) {
  Load("m", "1");
  CancelToken cancel;
  cancel.Cancel();
  const Result<QueryResult> result = PromqlEngine(options_).Run({.query = "m"}, {.source = this, .cancel = &cancel});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), Code::kCancelled);
  EXPECT_EQ(result.status().message(), "query was canceled in expression evaluation");
}

TEST_F(QueryTest, GivesBackAllMemoryItReserved) {
  for (int i = 0; i < 300; ++i) Load("m_total{i=\"" + std::to_string(i) + "\"}", "1 2 3 4 5");
  MemoryBudget budget("query", 1 << 30);
  budget_ = &budget;
  EXPECT_THAT(Range(0, 4 * kMinute, kMinute, "topk(2, rate(m_total[2m])) or sum(m_total) / count(m_total)"),
              ::testing::Not(::testing::StartsWith("error")));
  EXPECT_EQ(budget.used_bytes(), 0);
  EXPECT_GT(budget.peak_bytes(), 0);
}

TEST_F(QueryTest, GivesTheSameWithAndWithoutAPool) {
  for (int i = 0; i < 500; ++i) {
    Load("m_total{g=\"" + std::to_string(i % 7) + "\",i=\"" + std::to_string(i) + "\"}",
         "1 " + std::to_string(0.1 * i) + " 3 4.7 1e10");
  }
  const std::string query = "sum by (g) (rate(m_total[3m])) + on (g) avg by (g) (m_total)";
  const std::string serial = Range(0, 4 * kMinute, 15'000, query);
  ThreadPool pool("eval_test", 3);
  pool_ = &pool;
  EXPECT_EQ(Range(0, 4 * kMinute, 15'000, query), serial);
  EXPECT_THAT(serial, ::testing::HasSubstr("{g=\"6\"}"));
}

}  // namespace
}  // namespace varve::promql
