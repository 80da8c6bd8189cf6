#include "tests/unit/query/promql/eval/eval_fixture.h"

namespace varve::promql {
namespace {

class RangeTest : public EvalTest {};

TEST_F(RangeTest, CutsLeftOpenWindowsAtEachStep) {
  Load("m_total", "0 60 120 180 240");
  EXPECT_EQ(Range(kMinute, 4 * kMinute, kMinute, "count_over_time(m_total[2m])"), "{} 2@60 2@120 2@180 2@240");
  EXPECT_EQ(At(4 * kMinute, "rate(m_total[2m])"), "{} 1@240");
  EXPECT_EQ(At(4 * kMinute, "sum_over_time(m_total[1m] offset 1m)"), "{} 180@240");
  EXPECT_EQ(Range(0, 2 * kMinute, kMinute, "sum_over_time(m_total[2m] @ 180)"), "{} 300@0 300@60 300@120");
}

TEST_F(RangeTest, KeepsTheNameOnlyWhereTheValueIsASample) {
  Load("m", "1 2 3");
  EXPECT_EQ(At(2 * kMinute, "last_over_time(m[5m])"), "m 3@120");
  EXPECT_EQ(At(2 * kMinute, "max_over_time(m[5m])"), "{} 3@120");
}

TEST_F(RangeTest, EvaluatesSubqueriesAtMultiplesOfTheirStep) {
  Load("m", "0 1 2 3 4 5 6 7 8 9 10");
  EXPECT_EQ(At(630'000, "m[3m:1m]"), "m 8@480 9@540 10@600");
  EXPECT_EQ(At(600'000, "m[3m:1m]"), "m 8@480 9@540 10@600");
  EXPECT_EQ(At(610'000, "m[2m:40s]"), "m 8@520 9@560 10@600");
  EXPECT_EQ(At(600'000, "max_over_time(m[4m:2m] offset 3m)"), "{} 6@600");
  EXPECT_EQ(At(600'000, "sum_over_time((m + 1)[3m:])"), "{} 30@600");
  EXPECT_EQ(Range(300'000, 420'000, kMinute, "sum_over_time(m[2m:1m])"), "{} 9@300 11@360 13@420");
  EXPECT_EQ(Range(300'000, 420'000, kMinute, "sum_over_time(m[2m:1m] @ 300)"), "{} 9@300 9@360 9@420");
  EXPECT_EQ(At(600'000, "max_over_time(sum_over_time(m[2m:1m])[3m:1m])"), "{} 19@600");
  EXPECT_EQ(At(600'000, "m[10s:1m] offset 5s"), "");  // no time of the grid lies in the range
}

TEST_F(RangeTest, RefusesModifiersWithFunctionsThatDoNotKnowThem) {
  Load("m", "1 2 3");
  EXPECT_EQ(At(kMinute, "avg_over_time(m[1m] anchored)"),
            "error: anchored modifier can only be used with: changes, delta, increase, rate, resets - not with "
            "avg_over_time");
  EXPECT_EQ(At(kMinute, "resets(m[1m] smoothed)"),
            "error: smoothed modifier can only be used with: delta, increase, rate - not with resets");
  EXPECT_EQ(At(2 * kMinute, "increase(m[1m] anchored)"), "{} 1@120");
}

TEST_F(RangeTest, RefusesSeriesThatDifferInTheNameAlone) {
  Load("a", "1 2 _ _ _ _ _ _ _ _ _ _");
  Load("b", "_ _ _ _ _ _ _ _ _ _ 1 2");
  const std::string same = "error: vector cannot contain metrics with the same labelset";
  EXPECT_EQ(Range(kMinute, 11 * kMinute, kMinute, "rate({__name__=~\"a|b\"}[2m])"), same);
  EXPECT_EQ(Range(0, 11 * kMinute, 11 * kMinute, "{__name__=~\"a|b\"} * 2"), "{} 2@0 4@660");
  Load("c", "1 2");
  EXPECT_EQ(At(0, "{__name__=~\"a|c\"} * 2"), same);
  EXPECT_EQ(At(0, "-{__name__=~\"a|c\"}"), same);
  options_.delayed_name_removal = true;
  EXPECT_EQ(At(kMinute, "sum by (__name__) (rate({__name__=~\"a|c\"}[2m]))"), same);
  EXPECT_EQ(At(kMinute, "count(rate({__name__=~\"a|c\"}[2m]))"), "{} 2@60");
}

TEST_F(RangeTest, TellsThatAMetricIsPerhapsNoCounter) {
  Load("m", "1 2 3");
  EXPECT_THAT(Notes(2 * kMinute, "rate(m[5m])"),
              ::testing::ElementsAre("PromQL info: metric might not be a counter, name does not end in "
                                     "_total/_sum/_count/_bucket: \"m\" (1:6)"));
}

TEST_F(RangeTest, CountsSamplesAsPrometheusDoes) {
  Load("m_total", "1 2 3 4 5 6");
  const auto stats = [&](const std::string& query) {
    const Result<QueryResult> result = Query({.query = query,
                                              .start_ms = 3 * kMinute,
                                              .end_ms = 5 * kMinute,
                                              .step_ms = kMinute,
                                              .per_step_stats = true});
    EXPECT_TRUE(result.ok());
    std::string text = std::to_string(result->stats.total_queryable_samples) + ":";
    for (const auto& [ms, samples] : result->stats.queryable_samples_per_step) text += " " + std::to_string(samples);
    return text;
  };
  EXPECT_EQ(stats("m_total"), "3: 1 1 1");
  EXPECT_EQ(stats("rate(m_total[2m])"), "6: 2 2 2");
  EXPECT_EQ(stats("m_total @ 60"), "3: 1 1 1");
  EXPECT_EQ(stats("max_over_time(m_total[3m:1m])"), "9: 3 3 3");
}

}  // namespace
}  // namespace varve::promql
