// What is found, what is evaluated again, and what never comes to the cache. That joined answers are right is
// the property test's business (tests/property/query).
#include "query/exec/cached_evaluation.h"

#include "query_fixture.h"

namespace varve {
namespace {

// Times in seconds since 1970.
class CachedEvaluationTest : public testing::QueryFixture {
 protected:
  CachedEvaluationTest() { request_.cache = &cache_; }

  // Asks twice; the second answer must be the first. Returns parts found and asked for the second time.
  std::pair<uint64_t, uint64_t> Twice(const std::string& text, int64_t start, int64_t end, int64_t step) {
    const std::string first = Ask(text, start, end, step);
    EXPECT_EQ(Ask(text, start, end, step), first);
    return {stats_.result_cache.entries_found, stats_.result_cache.entries_requested};
  }
  std::string Ask(const std::string& text, int64_t start, int64_t end, int64_t step) {
    request_.start_ns = start * kSecond;
    request_.end_ns = end * kSecond;
    request_.step_ns = step * kSecond;
    const auto expr = logql::ParseExpr(text);
    EXPECT_TRUE(expr.ok()) << expr.status().message();
    auto result = RunQuery(recording_, **expr, request_, limits_);
    if (!result.ok()) return result.status().message();
    stats_ = result->stats;
    warnings_ = result->warnings;
    return Text(std::get<MatrixResult>(result->data));
  }
  void Fill() {
    for (int64_t t = 0; t < 4 * 3600; t += 60) Add({{"app", t % 120 == 0 ? "a" : "b"}}, t, "line");
    engine_.Seal();
    recording_.TakeLoads();
  }

  ResultCache cache_{1 << 20, nullptr};
  std::vector<std::string> warnings_;
};

constexpr char kCount[] = "sum by (app) (count_over_time({app=~\".+\"}[5m]))";

TEST_F(CachedEvaluationTest, TheSecondTimeNothingIsRead) {
  Fill();
  const auto [found, requested] = Twice(kCount, 0, 3 * 3600, 60);
  EXPECT_GT(requested, 4u);
  EXPECT_EQ(found, requested);
  EXPECT_EQ(stats_.sources, 0u);
  EXPECT_EQ(stats_.result_cache.length_served_ns, (3 * 3600 + 60) * kSecond);
  EXPECT_GT(stats_.result_cache.bytes_received, 0u);
}

TEST_F(CachedEvaluationTest, AMovedWindowEvaluatesOnlyWhatIsNew) {
  Fill();
  Ask(kCount, 0, 3 * 3600, 60);
  Ask(kCount, 600, 3 * 3600 + 600, 60);
  EXPECT_GE(stats_.result_cache.entries_found, stats_.result_cache.entries_requested - 2);
  EXPECT_LT(stats_.result_cache.entries_found, stats_.result_cache.entries_requested);
}

TEST_F(CachedEvaluationTest, ALateRowCostsThePartsThatLookAtItAndNoOthers) {
  Fill();
  const std::string before = Ask(kCount, 0, 4 * 3600, 60);
  Add({{"app", "a"}}, 2 * 3600 + 1, "late");
  EXPECT_NE(Ask(kCount, 0, 4 * 3600, 60), before);
  EXPECT_GT(cache_.counters().stale, 0u);
  EXPECT_GE(stats_.result_cache.entries_found, stats_.result_cache.entries_requested - 2);
}

TEST_F(CachedEvaluationTest, OffsetsAndEveryLegOfAnOperationAreWatched) {
  Fill();
  const std::string text =
      "sum(count_over_time({app=\"a\"}[5m])) / sum(count_over_time({app=\"b\"}[5m] offset 2h))";
  Ask(text, 3 * 3600, 3 * 3600 + 600, 60);
  Add({{"app", "b"}}, 3600 + 1, "late, seen through the offset only");
  const std::string after = Ask(text, 3 * 3600, 3 * 3600 + 600, 60);
  request_.cache = nullptr;
  EXPECT_EQ(Ask(text, 3 * 3600, 3 * 3600 + 600, 60), after);
}

TEST_F(CachedEvaluationTest, TenantsStepsAndQueriesDoNotMix) {
  Fill();
  Ask(kCount, 0, 3600, 60);
  Ask(kCount, 0, 3600, 30);
  EXPECT_EQ(stats_.result_cache.entries_found, 0u);
  Ask("sum by (app) (count_over_time({app=~\".+\"}[6m]))", 0, 3600, 60);
  EXPECT_EQ(stats_.result_cache.entries_found, 0u);
  request_.tenant = 1;
  EXPECT_EQ(Ask(kCount, 0, 3600, 60), "");
  EXPECT_EQ(stats_.result_cache.entries_found, 0u);
  request_.tenant = 0;
  Ask("sum(count_over_time({app=~\".+\"}[5m]))by(app)", 0, 3600, 60);
  EXPECT_EQ(stats_.result_cache.entries_found, stats_.result_cache.entries_requested)
      << "however it is written";
}

TEST_F(CachedEvaluationTest, TheSeriesLimitIsAboutTheJoinedAnswer) {
  for (int64_t i = 0; i < 6; ++i) Add({{"app", std::to_string(i)}}, 600 * i + 1, "x");
  limits_.max_query_series = 5;
  const std::string text = "count_over_time({app=~\".+\"}[1m])";
  Ask(text, 0, 2400, 60);
  EXPECT_GT(cache_.size(), 0u);
  const std::string refusal = Ask(text, 0, 3600, 60);
  EXPECT_EQ(refusal.substr(0, 32), "maximum number of series (5) rea");
  request_.partial_series = true;
  Ask(text, 0, 3600, 60);
  EXPECT_EQ(warnings_,
            std::vector<std::string>{
                "maximum number of series (5) reached for a single query; returning partial results"});
}

TEST_F(CachedEvaluationTest, AnErrorIsThatOfTheWholeQuery) {
  Fill();
  Add({{"app", "a"}}, 7200, "v=bad");
  const std::string text = "sum_over_time({app=\"a\"} | logfmt | unwrap v [1m])";
  Ask(text, 0, 3600, 60);
  const std::string cached = Ask(text, 0, 4 * 3600, 60);
  request_.cache = nullptr;
  EXPECT_EQ(Ask(text, 0, 4 * 3600, 60), cached);
  EXPECT_NE(cached.find("pipeline error"), std::string::npos);
}

TEST_F(CachedEvaluationTest, LimitsOnReadingAreAboutTheWholeQuery) {
  Fill();
  Ask(kCount, 0, 3600, 60);
  limits_.max_query_bytes_read = 10;
  EXPECT_EQ(Ask(kCount, 0, 3600, 60).substr(0, 37), "the query would read too many bytes (");
}

struct Rule {
  const char* query;
  bool cached;
};

class MayCacheTest : public ::testing::TestWithParam<Rule> {};

TEST_P(MayCacheTest, DecidesByTheQuery) {
  const auto expr = logql::ParseExpr(GetParam().query);
  ASSERT_TRUE(expr.ok()) << expr.status().message();
  EXPECT_EQ(MayCache(**expr), GetParam().cached) << GetParam().query;
}

INSTANTIATE_TEST_SUITE_P(
    Queries, MayCacheTest,
    ::testing::Values(
        Rule{"rate({a=\"b\"}[5m])", true}, Rule{"topk(3, rate({a=\"b\"}[5m]))", true},
        Rule{"rate({a=\"b\"}[5m]) or vector(0)", true}, Rule{"absent_over_time({a=\"b\"}[5m])", true},
        // Nothing to read.
        Rule{"vector(1)", false}, Rule{"1 + 1", false},
        // The clock.
        Rule{"rate({a=\"b\"} | line_format \"{{now}}\" [5m])", false},
        Rule{"sum(rate({a=\"b\"} | label_format t=`{{ now | unixEpoch }}` [5m]))", false},
        Rule{"1 / sum(rate({a=\"b\"} | label_format t=`{{ now }}` [5m]))", false},
        Rule{"rate({a=\"b\"} | line_format \"{{.x}}\" [5m])", true},
        Rule{"rate({a=\"now\"} | label_format now=x [5m])", true},
        // Series that labels do not tell apart.
        Rule{"label_replace(rate({a=\"b\"}[5m]), \"x\", \"y\", \"a\", \".*\")", false},
        Rule{"topk(2, label_replace(rate({a=\"b\"}[5m]), \"x\", \"y\", \"a\", \".*\"))", false},
        Rule{"sum(label_replace(rate({a=\"b\"}[5m]), \"x\", \"y\", \"a\", \".*\"))", true},
        Rule{"sum(topk(2, label_replace(rate({a=\"b\"}[5m]), \"x\", \"y\", \"a\", \".*\")))", true},
        Rule{"sum(label_replace(rate({a=\"b\"}[5m]), \"x\", \"y\", \"a\", \".*\") or vector(0))", false}));

}  // namespace
}  // namespace varve
