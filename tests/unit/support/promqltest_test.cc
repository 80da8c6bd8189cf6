// The runner of PromQL test scripts: that it reads the language, and that it finds what is wrong.
#include "tests/support/promqltest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/promqltest_load.h"
#include "tests/support/memory_metric_store.h"
#include "query/promql/values/series_description.h"
#include "tests/support/status_matchers.h"

namespace varve::promqltest {
namespace {

using ::testing::HasSubstr;

std::string Values(const std::string& line) {
  const Result<SeriesDescription> series = promql::ParseSeriesDescription(line);
  if (!series.ok()) return series.status().message();
  std::string out;
  for (const SequenceValue& value : series->values) {
    out += out.empty() ? "" : " ";
    out += value.omitted ? "_" : value.histogram != nullptr ? value.histogram->ToString() : std::to_string(value.value);
  }
  return out;
}

TEST(PromqltestSeries, ExpandsSequences) {
  EXPECT_EQ(Values("a 1 -2.5 +3"), "1.000000 -2.500000 3.000000");
  EXPECT_EQ(Values("a 1x2"), "1.000000 1.000000 1.000000");
  EXPECT_EQ(Values("a 1+2x2"), "1.000000 3.000000 5.000000");
  EXPECT_EQ(Values("a 1-0.5x1"), "1.000000 0.500000");
  EXPECT_EQ(Values("a _ _x2 7"), "_ _ _ 7.000000");
  EXPECT_EQ(Values("a 1e2-1e1x1"), "100.000000 90.000000");
  EXPECT_EQ(Values("a Inf -Inf NaN"), "inf -inf nan");
  EXPECT_EQ(Values("a{b=\"c d\"}  1"), "1.000000");
  EXPECT_EQ(Values("a 1m"), "60.000000");
  EXPECT_EQ(Values("a {{schema:0 count:2 sum:3 offset:-1 buckets:[1 0 1]}}x1"),
            "{count:2, sum:3, (0.25,0.5]:1, (1,2]:1} {count:2, sum:3, (0.25,0.5]:1, (1,2]:1}");
  EXPECT_EQ(Values("a {{count:1 sum:1 buckets:[1]}}+{{count:1 sum:2 buckets:[1]}}x1"),
            "{count:1, sum:1, (0.5,1]:1} {count:2, sum:3, (0.5,1]:2}");
}

TEST(PromqltestSeries, RefusesWhatIsNotOne) {
  EXPECT_THAT(Values("a 1y2z"), HasSubstr("1y2z"));
  EXPECT_THAT(Values("a {{coun:1}}"), HasSubstr("bad histogram descriptor found: \"coun\""));
  EXPECT_THAT(Values("a {{count:1 count:2}}"), HasSubstr("duplicate key"));
  EXPECT_THAT(Values("a 1+2"), HasSubstr("no repetition"));
  EXPECT_THAT(Values("a 1x99999999999"), HasSubstr("bad repetition"));
}

TEST(PromqltestSeries, ReadsStartTimes) {
  EXPECT_TRUE(promql::IsStartTimesLine("a{b=\"c\"}@st -30s"));
  EXPECT_FALSE(promql::IsStartTimesLine("a 1"));
  const Result<promql::StartTimes> starts = promql::ParseStartTimes("a@st -30s _x2 0s-1sx1");
  ASSERT_OK(starts);
  EXPECT_EQ(starts->labels.ToString(), "a");
  EXPECT_THAT(starts->offsets_ms,
              ::testing::ElementsAre(-30'000, std::nullopt, std::nullopt, 0, -1000));
}

// The one failure of a script that loads `a` as 0, 1, 2… every minute, and then says this.
std::string FailureOf(const std::string& eval) {
  const std::string script = "load 1m\n  a{b=\"c\"} 0+1x10\n  a{b=\"d\"} 5x10\n\n# a comment\n" + eval;
  const Result<ScriptReport> report = RunScript("t", script);
  if (!report.ok()) return report.status().message();
  EXPECT_EQ(report->evals, 1U);
  EXPECT_EQ(report->passed, report->failures.empty() ? 1U : 0U);
  return report->failures.empty() ? "" : report->failures[0].text;
}

TEST(Promqltest, PassesWhatIsRight) {
  EXPECT_EQ(FailureOf("eval instant at 2m a\n a{b=\"c\"} 2\n a{b=\"d\"} 5.000001"), "");
  EXPECT_EQ(FailureOf("eval instant at 2m sum(a)\n {} 7"), "");
  EXPECT_EQ(FailureOf("eval instant at 2m scalar(sum(a))\n 7"), "");
  EXPECT_EQ(FailureOf("eval instant at 2m \"x\"\n expect string 'x'"), "");
  EXPECT_EQ(FailureOf("eval instant at 2m sort(a)\n expect ordered\n a{b=\"c\"} 2\n a{b=\"d\"} 5"), "");
  EXPECT_EQ(FailureOf("eval range from 1m to 3m step 1m a{b=\"c\"} > 1\n a{b=\"c\"} _ 2 3"), "");
  EXPECT_EQ(FailureOf("eval instant at 2m a{b=\"c\"}[2m]\n expect range vector from 1m to 2m step 1m\n"
                      " a{b=\"c\"} 1 2"), "");
  EXPECT_EQ(FailureOf("eval instant at 2m a + on () a\n expect fail regex: found duplicate series"), "");
  EXPECT_EQ(FailureOf("eval_fail instant at 2m a + on () a"), "");
  EXPECT_EQ(FailureOf("eval instant at 2m quantile(2, a)\n expect warn msg: PromQL warning: quantile value should be "
                      "between 0 and 1, got 2 (1:10)\n expect no_info\n {} Inf"), "");
}

TEST(Promqltest, FindsWhatIsWrong) {
  EXPECT_THAT(FailureOf("eval instant at 2m a\n a{b=\"c\"} 2\n a{b=\"d\"} 5.1"), HasSubstr("t:6: a: expected 5.1"));
  EXPECT_THAT(FailureOf("eval instant at 2m a\n a{b=\"c\"} 2"), HasSubstr("unexpected element a{b=\"d\"}"));
  EXPECT_THAT(FailureOf("eval instant at 2m sum(a)\n {} 7\n {x=\"y\"} 1"), HasSubstr("is not there"));
  EXPECT_THAT(FailureOf("eval instant at 2m sort_desc(a)\n expect ordered\n a{b=\"c\"} 2\n a{b=\"d\"} 5"),
              HasSubstr("at place 1"));
  EXPECT_THAT(FailureOf("eval range from 1m to 3m step 1m a{b=\"c\"}\n a{b=\"c\"} 1 2"), HasSubstr("expected 2 floats"));
  EXPECT_THAT(FailureOf("eval range from 1m to 3m step 1m a{b=\"c\"}\n a{b=\"c\"} 1 2 4"), HasSubstr("expected 4@180000"));
  EXPECT_THAT(FailureOf("eval instant at 2m a\n expect fail"), HasSubstr("expected an error"));
  EXPECT_THAT(FailureOf("eval instant at 2m a + on () a\n expect fail msg: no"), HasSubstr("expected the error \"no\""));
  EXPECT_THAT(FailureOf("eval instant at 2m quantile(2, a)\n expect no_warn\n {} Inf"), HasSubstr("unexpected warnings"));
  EXPECT_THAT(FailureOf("eval instant at 2m sum(a)\n expect info\n {} 7"), HasSubstr("expected infos, got none"));
  EXPECT_THAT(FailureOf("eval instant at 2m 7\n {} 7"), HasSubstr("expected no scalar"));
  EXPECT_THAT(FailureOf("eval instant at 2m a{b=\"c\"}\n a{b=\"c\"} {{count:1}}"), HasSubstr("expected {count:1"));
}

TEST(Promqltest, RefusesScriptsThatAreWrong) {
  EXPECT_THAT(FailureOf("evil"), HasSubstr("line 6: evil: invalid command \"evil\""));
  EXPECT_THAT(FailureOf("eval instant at 2m a +"), HasSubstr("unexpected end of input"));
  EXPECT_THAT(FailureOf("eval instant at 2m a\n a 1 2"), HasSubstr("expecting multiple values"));
}

TEST(Promqltest, RunsInstantQueriesAtOtherTimes) {
  // Right as written; pinned by @, the value at 2m is asked for at other times, too.
  EXPECT_EQ(FailureOf("eval instant at 2m sum_over_time(a{b=\"c\"}[2m])\n {b=\"c\"} 3"), "");
  EXPECT_EQ(FailureOf("eval instant at 2m sum_over_time(a{b=\"c\"}[2m:1m])\n {b=\"c\"} 3"), "");
  EXPECT_EQ(FailureOf("eval instant at 2m time()\n 120"), "");
}

TEST(PromqltestLoad, GivesHintsAsPrometheusStorageDoes) {
  Load load;
  load.step_ms = 1000;
  const auto described = promql::ParseSeriesDescription(
      "a {{count:2 sum:1 buckets:[2]}} {{count:3 sum:1 buckets:[3]}} {{count:1 sum:1 buckets:[1]}} 5 "
      "{{count:2 sum:1 buckets:[2]}} {{schema:1 count:3 sum:1 buckets:[3]}} "
      "{{schema:1 count:3 sum:1 buckets:[3] counter_reset_hint:gauge}}");
  ASSERT_OK(described);
  load.series.push_back({described->labels, described->values, {}});
  MemoryMetricStore store;
  ASSERT_OK(ApplyLoad(load, &store));
  const auto snapshot = store.Snapshot(kScriptTenant, {}, {});
  ASSERT_OK(snapshot);
  SeriesSamples samples;
  ASSERT_OK((*snapshot)->Read(0, {}, nullptr, &samples));
  std::vector<CounterResetHint> hints;
  for (const HistogramSample& sample : samples.histograms) hints.push_back(sample.histogram->hint);
  EXPECT_THAT(hints, ::testing::ElementsAre(CounterResetHint::kUnknown, CounterResetHint::kNotReset,
                                            CounterResetHint::kUnknown, CounterResetHint::kUnknown,
                                            CounterResetHint::kUnknown, CounterResetHint::kGauge));
}

TEST(PromqltestLoad, MakesHistogramsOfClassicOnes) {
  const Result<ScriptReport> report = RunScript("t",
      "load_with_nhcb 1m\n"
      " h_bucket{le=\"1\"} 2\n h_bucket{le=\"5\"} 3\n h_bucket{le=\"+Inf\"} 4\n h_count 4\n h_sum 9\n\n"
      "eval instant at 0m h\n h {{schema:-53 count:4 sum:9 custom_values:[1 5] buckets:[2 1 1]}}\n");
  ASSERT_OK(report);
  EXPECT_EQ(report->passed, 1U);
}

}  // namespace
}  // namespace varve::promqltest
