#include "query/exec/metric_query.h"

#include "tests/unit/query/exec/query_fixture.h"

namespace varve {
namespace {

class MetricQuery : public testing::QueryFixture {
 protected:
  // One line a second from 1 to 60 in two streams.
  void AddMinute() {
    for (int64_t second = 1; second <= 60; ++second) {
      const bool odd = second % 2 == 1;
      Add({{"app", "web"}, {"host", odd ? "h1" : "h2"}}, second, "n=" + std::to_string(second % 10),
          {{"level", second % 10 == 0 ? "error" : "info"}});
    }
  }
};

TEST_F(MetricQuery, WindowsExcludeTheirStartAndIncludeTheirEnd) {
  for (int64_t second : {10, 20, 30}) Add({{"a", "1"}}, second, "x");
  EXPECT_EQ(Instant(R"(count_over_time({a="1"}[10s]))", 20), R"({a="1"} 20=1)");
  EXPECT_EQ(Instant(R"(count_over_time({a="1"}[11s]))", 20), R"({a="1"} 20=2)");
  EXPECT_EQ(Instant(R"(count_over_time({a="1"}[10s]))", 19), R"({a="1"} 19=1)");
  EXPECT_EQ(Instant(R"(count_over_time({a="1"}[5s]))", 18), "");  // no entry, no point
  EXPECT_EQ(Instant(R"(count_over_time({a="1"}[5s] offset 8s))", 18), R"({a="1"} 18=1)");
  EXPECT_EQ(Instant(R"(count_over_time({a="1"}[5s] offset -2s))", 18), R"({a="1"} 18=1)");
}

TEST_F(MetricQuery, RangeQueriesAreAlignedToTheStep) {
  for (int64_t second : {10, 20, 30}) Add({{"a", "1"}}, second, "x");
  EXPECT_EQ(Range(R"(count_over_time({a="1"}[15s]))", 13, 27, 10), R"({a="1"} 10=1 20=2 30=2)");
  EXPECT_EQ(Range("vector(1)", 13, 13, 10), "{} 10=1 20=1");
  EXPECT_EQ(Range("1 + 2", 10, 10, 10), "{} 10=3");
}

TEST_F(MetricQuery, LogAggregations) {
  AddMinute();
  EXPECT_EQ(Instant(R"(sum by (host) (count_over_time({app="web"}[1m])))", 60),
            "{host=\"h1\"} 60=30\n{host=\"h2\"} 60=30");
  EXPECT_EQ(Instant(R"(sum(rate({app="web"}[1m])))", 60), "{} 60=1");
  EXPECT_EQ(Instant(R"(sum(bytes_over_time({app="web"}[1m])))", 60), "{} 60=180");
  EXPECT_EQ(Instant(R"(sum(bytes_rate({app="web"}[1m])))", 60), "{} 60=3");
  EXPECT_EQ(Instant(R"(count_over_time({app="web"} |= "n=0" [1m]))", 60),
            R"({app="web", host="h2", level="error"} 60=6)");
  EXPECT_EQ(Range(R"(sum(count_over_time({app="web"}[30s])))", 0, 90, 15),
            "{} 15=15 30=30 45=30 60=30 75=15");
}

TEST_F(MetricQuery, MetadataIsPartOfTheSeries) {
  AddMinute();
  EXPECT_EQ(
      Instant(R"(count_over_time({app="web"}[1m]))", 60),
      "{app=\"web\", host=\"h1\", level=\"info\"} 60=30\n{app=\"web\", host=\"h2\", level=\"error\"} 60=6\n"
      "{app=\"web\", host=\"h2\", level=\"info\"} 60=24");
  EXPECT_EQ(Instant(R"(sum by (level) (count_over_time({app="web"}[1m])))", 60),
            "{level=\"error\"} 60=6\n{level=\"info\"} 60=54");
  EXPECT_EQ(Instant(R"(sum without (host) (count_over_time({app="web"}[1m])))", 60),
            "{app=\"web\", level=\"error\"} 60=6\n{app=\"web\", level=\"info\"} 60=54");
}

TEST_F(MetricQuery, UnwrapAggregations) {
  AddMinute();
  struct Case {
    const char* query;
    const char* expected;
  };
  const Case kCases[] = {
      {R"(sum(sum_over_time({app="web"} | logfmt | unwrap n [1m])))", "{} 60=270"},
      {R"(sum(rate({app="web"} | logfmt | unwrap n [1m])))", "{} 60=4.5"},
      {R"(avg_over_time({app="web"} | logfmt | unwrap n [1m]) by (app))", R"({app="web"} 60=4.5)"},
      {R"(max_over_time({app="web"} | logfmt | unwrap n [1m]) by (host))",
       "{host=\"h1\"} 60=9\n{host=\"h2\"} 60=8"},
      {R"(max(max_over_time({app="web"} | logfmt | unwrap n [1m])))", "{} 60=9"},
      {R"(min by (host) (min_over_time({app="web"} | logfmt | unwrap n [1m])))",
       "{host=\"h1\"} 60=1\n{host=\"h2\"} 60=0"},
      {R"(first_over_time({app="web"} | logfmt | unwrap n [55s]) by ())", "{} 60=6"},
      {R"(last_over_time({app="web"} | logfmt | unwrap n [1m]) without (host, level))",
       R"({app="web"} 60=0)"},
      {R"(stdvar_over_time({app="web"} | logfmt | unwrap n [1m]) by ())", "{} 60=8.25"},
      {R"(quantile_over_time(0.5, {app="web"} | logfmt | unwrap n [1m]) by ())", "{} 60=4.5"},
      {R"(sum(rate_counter({app="web",host="h1"} | logfmt | drop level | unwrap n [4s])))", "{} 60=1"},
  };
  for (const Case& c : kCases) EXPECT_EQ(Instant(c.query, 60), c.expected) << c.query;
}

TEST_F(MetricQuery, AnEmptyLabelIsNotTheSameAsNone) {
  Add({{"app", "a"}}, 1, "k=");
  Add({{"app", "a"}}, 2, "o=1");
  const std::string range = R"(count_over_time({app="a"} | logfmt --keep-empty | drop o [10s]))";
  EXPECT_EQ(Instant(range, 5), "{app=\"a\"} 5=1\n{app=\"a\", k=\"\"} 5=1");
  EXPECT_EQ(Instant("sum by (k) (" + range + ")", 5), "{} 5=1\n{k=\"\"} 5=1");
  EXPECT_EQ(Instant("max by (k) (" + range + ")", 5), "{} 5=1\n{k=\"\"} 5=1");
  EXPECT_EQ(Instant("topk(2, " + range + ")", 5), "{app=\"a\"} 5=1\n{app=\"a\", k=\"\"} 5=1");
  // What puts label sets together leaves it out.
  EXPECT_EQ(Instant("sum without (x) (" + range + ")", 5), "{app=\"a\"} 5=2");
  EXPECT_EQ(Instant("max without (x) (" + range + ")", 5), "{app=\"a\"} 5=1");
  EXPECT_EQ(Instant(range + " + on (app) group_left vector(1)", 5), "");
  EXPECT_EQ(Instant(range + " + on (k) " + range, 5).substr(0, 60),
            "execution error: found duplicate series on the right hand-si");
  EXPECT_EQ(Instant("label_replace(" + range + R"(, "b", "c", "k", ""))", 5),
            "{app=\"a\", b=\"c\"} 5=1\n{app=\"a\", b=\"c\"} 5=1");
}

TEST_F(MetricQuery, ApproxTopkIsForInstantQueries) {
  AddMinute();
  EXPECT_EQ(Instant(R"(approx_topk(1, sum by (host) (rate({app="web"}[1m]))))", 60), R"({host="h1"} 60=0.5)");
  EXPECT_EQ(Range(R"(1 + approx_topk(1, sum by (host) (rate({app="web"}[1m]))))", 50, 60, 10),
            "invalid argument: count min sketches are only supported on instant queries");
}

TEST_F(MetricQuery, AbsentOverTimeSpeaksWhereNothingIs) {
  for (int64_t second : {10, 40}) Add({{"a", "1"}}, second, "x");
  EXPECT_EQ(Range(R"(absent_over_time({a="1"}[10s]))", 0, 60, 10), R"({a="1"} 0=1 20=1 30=1 50=1 60=1)");
  EXPECT_EQ(Instant(R"(absent_over_time({a="2",b="x"}[10s]))", 20), R"({a="2", b="x"} 20=1)");
  EXPECT_EQ(Instant(R"(absent_over_time({a="2",a="3"}[10s]))", 20), "{} 20=1");
  EXPECT_EQ(Instant(R"(absent_over_time({a=~"2"}[10s]))", 20), "{} 20=1");
  EXPECT_EQ(Instant(R"(absent_over_time({a="1"} |= "nosuch" [20s]))", 20), R"({a="1"} 20=1)");
  EXPECT_EQ(Instant(R"(absent_over_time({a="1"}[20s]))", 20), "");
}

TEST_F(MetricQuery, ScalarsVectorsAndSets) {
  AddMinute();
  EXPECT_EQ(Instant("1 + 2", 60), "60=3");
  EXPECT_EQ(Instant("1 > 2", 60), "60=0");
  EXPECT_EQ(Instant("vector(0.5) * 4", 60), "{} 60=2");
  EXPECT_EQ(Instant(R"(sum(count_over_time({app="nosuch"}[1m])) or vector(0))", 60), "{} 60=0");
  EXPECT_EQ(Range(R"(sum(count_over_time({app="web"}[10s])) or vector(0))", 50, 80, 10),
            "{} 50=10 60=10 70=0 80=0");
  EXPECT_EQ(Instant(R"(sum by (host) (count_over_time({app="web"}[9s])) > 4)", 60), R"({host="h2"} 60=5)");
  EXPECT_EQ(
      Instant(R"q(label_replace(sum by (host) (rate({app="web"}[10s])), "n", "$1", "host", "h(.)"))q", 60),
      "{host=\"h1\", n=\"1\"} 60=0.5\n{host=\"h2\", n=\"2\"} 60=0.5");
}

TEST_F(MetricQuery, OrdersVectorsByLabelsUnlessSorted) {
  for (int i = 0; i < 3; ++i) {
    for (int copies = 0; copies <= (i + 1) % 3; ++copies) {
      AddNs({{"a", std::to_string(i)}}, kSecond + copies, std::to_string(copies));
    }
  }
  EXPECT_EQ(Instant(R"(count_over_time({a=~".+"}[10s]))", 5), "{a=\"0\"} 5=2\n{a=\"1\"} 5=3\n{a=\"2\"} 5=1");
  EXPECT_EQ(Instant(R"(topk(2, count_over_time({a=~".+"}[10s])))", 5), "{a=\"0\"} 5=2\n{a=\"1\"} 5=3");
  EXPECT_EQ(Instant(R"(sort(count_over_time({a=~".+"}[10s])))", 5),
            "{a=\"2\"} 5=1\n{a=\"0\"} 5=2\n{a=\"1\"} 5=3");
  EXPECT_EQ(Instant(R"(sort_desc(count_over_time({a=~".+"}[10s])) * 2)", 5),
            "{a=\"1\"} 5=6\n{a=\"0\"} 5=4\n{a=\"2\"} 5=2");
}

TEST_F(MetricQuery, AnErrorInThePipelineFailsTheQueryUnlessAskedFor) {
  Add({{"a", "1"}}, 1, "v=notanumber");
  EXPECT_EQ(Instant(R"(sum_over_time({a="1"} | logfmt | unwrap v [10s]))", 5).substr(0, 73),
            "invalid argument: pipeline error: 'SampleExtractionErr' for series: '{__e");
  EXPECT_EQ(Instant(R"(sum_over_time({a="1"} | logfmt | unwrap v | __error__="" [10s]))", 5), "");
  EXPECT_EQ(Instant(R"(sum by (__error__) (rate({a="1"} | logfmt | unwrap v [10s])))", 5).substr(0, 33),
            R"({__error__="SampleExtractionErr"})");
  EXPECT_EQ(Instant(R"(sum by (a) (rate({a="1"} | logfmt | unwrap v [10s])))", 5).substr(0, 16),
            "invalid argument");
  EXPECT_EQ(
      Instant(R"(max by (__error__) (max_over_time({a="1"} | logfmt | unwrap v [10s])))", 5).substr(0, 16),
      "invalid argument");
  // Out of every window it does not matter.
  EXPECT_EQ(Instant(R"(sum_over_time({a="1"} | logfmt | unwrap v [3s]))", 5), "");
}

TEST_F(MetricQuery, CountsWholeSlicesWithoutReadingThem) {
  AddMinute();
  engine_.Seal();
  recording_.TakeLoads();
  EXPECT_EQ(Instant(R"(sum by (host) (count_over_time({app="web"}[1h])))", 60),
            "{host=\"h1\"} 60=30\n{host=\"h2\"} 60=30");
  EXPECT_EQ(Instant(R"(sum(bytes_over_time({app="web"}[1h])))", 60), "{} 60=180");
  EXPECT_TRUE(recording_.TakeLoads().empty());
}

TEST_F(MetricQuery, ReadsOnlyTheColumnsItNeeds) {
  AddMinute();
  engine_.Seal();
  struct Case {
    const char* query;
    ColumnMask columns;
  };
  const Case kCases[] = {
      {R"(sum by (host) (count_over_time({app="web"}[10s])))", kTimestamps},
      {R"(sum by (host) (bytes_rate({app="web"}[10s])))", kTimestamps | kLengths},
      {R"(sum by (level) (rate({app="web"}[10s])))", kTimestamps | kMetadata},
      {R"(sum(rate({app="web"} |= "n=1" [10s])))", kTimestamps | kLines},
      {R"(rate({app="web"}[10s]))", kTimestamps | kMetadata},
  };
  for (const Case& c : kCases) {
    recording_.TakeLoads();
    Range(c.query, 0, 60, 10);
    ColumnMask loaded = 0;
    for (const auto& load : recording_.TakeLoads()) loaded |= load.want;
    EXPECT_EQ(loaded & ~((c.columns & kLines) != 0 ? kLengths : 0), c.columns) << c.query;
  }
}

TEST_F(MetricQuery, CountsDuplicatesOnce) {
  for (int copy = 0; copy < 3; ++copy) {
    for (int64_t second = 0; second < 10; ++second) Add({{"a", "1"}}, second, "x" + std::to_string(second));
    Add({{"a", "1"}}, 20 + copy, "own");
    engine_.Seal();
  }
  EXPECT_EQ(Instant(R"(sum(count_over_time({a="1"}[1h])))", 60), "{} 60=13");
  EXPECT_EQ(Instant(R"(sum(bytes_over_time({a="1"} |= "x" [1h])))", 60), "{} 60=20");
}

}  // namespace
}  // namespace varve
