#include "query/exec/metric_query.h"

#include <algorithm>

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

TEST_F(MetricQuery, CountsDistinctTexts) {
  const char* kUsers[] = {"ann", "bob", "ann", "12", "12.0", "ann"};
  for (int64_t i = 0; i < 6; ++i) {
    Add({{"app", i % 2 == 0 ? "web" : "db"}}, 10 * i,
        std::string("user=") + kUsers[i] + " x=" + std::to_string(i));
    if (i == 2) engine_.Seal();
  }
  Add({{"app", "web"}}, 50, "nobody");
  Add({{"app", "web"}}, 50, "user=");
  const std::string range = R"({app=~".+"} | logfmt user | unwrap user [1m])";
  // Texts, not numbers: 12 and 12.0 are two users, and nothing fails to convert.
  EXPECT_EQ(Instant("count_distinct_over_time(" + range + ") by ()", 50), "{} 50=4");
  EXPECT_EQ(Instant("count_distinct_over_time(" + range + ") by (app)", 50),
            "{app=\"db\"} 50=3\n{app=\"web\"} 50=2");
  EXPECT_EQ(Instant("sum(count_distinct_over_time(" + range + ") by (app))", 50), "{} 50=5") << "not fused";
  EXPECT_EQ(Instant(R"(count_distinct_over_time({app="db"} | logfmt | unwrap user [1m]) without (x))", 50),
            "{app=\"db\"} 50=3");
  EXPECT_EQ(Instant(R"(count_distinct_over_time({app="nosuch"} | logfmt | unwrap user [1m]))", 50), "");
}

TEST_F(MetricQuery, DistinctTextsSlideWithTheirWindows) {
  for (const int64_t t : {0, 10, 40}) Add({{"a", "1"}}, t, "u=x");
  for (const int64_t t : {10, 20}) Add({{"a", "1"}}, t, "u=y");
  EXPECT_EQ(Range(R"(count_distinct_over_time({a="1"} | logfmt | unwrap u [20s]) by ())", 0, 70, 10),
            "{} 0=1 10=2 20=2 30=1 40=1 50=1");
}

TEST_F(MetricQuery, DistinctTextsStayWithinTheMemoryOfAQuery) {
  for (int i = 0; i < 20'000; ++i) {
    Add({{"a", "many"}}, i / 1000, "u=user" + std::to_string(i));
    Add({{"a", "few"}}, i / 1000, "u=user" + std::to_string(i % 10) + " i=" + std::to_string(i));
    if (i % 1000 == 999) engine_.Seal();
  }
  const auto count = [&](const std::string& app) {
    return Instant("count_distinct_over_time({a=\"" + app + "\"} | logfmt u | unwrap u [30s]) by ()", 20);
  };
  EXPECT_EQ(count("many"), "{} 20=20000");
  limits_.max_query_memory_bytes = 400 << 10;
  EXPECT_EQ(count("few"), "{} 20=10");
  EXPECT_EQ(count("many").substr(0, 18), "resource exhausted");
}

// 620 series, of which few come out.
TEST_F(MetricQuery, TheSeriesLimitCountsWhatComesOut) {
  for (int i = 0; i < 620; ++i) {
    Add({{"app", "x"}, {"i", std::to_string(i)}}, 1, std::string(static_cast<size_t>(i), 'x'));
  }
  engine_.Seal();
  const std::string all = R"(bytes_over_time({app="x"}[10s]))";
  const std::string grouped = "sum by (i) (" + all + ")";
  const std::string refused = "maximum number of series (500) reached";
  const auto series = [&](const std::string& query) -> int {
    const std::string instant = Instant(query, 5);
    const std::string range = Range(query, 0, 20, 10);
    if (instant.find(refused) != std::string::npos && range.find(refused) != std::string::npos) return -1;
    EXPECT_EQ(instant.find(refused), range.find(refused)) << query;
    return static_cast<int>(std::count(instant.begin(), instant.end(), '{'));
  };
  EXPECT_EQ(series(all), -1);
  EXPECT_EQ(series(grouped), -1);
  EXPECT_EQ(series("topk(501, " + all + ")"), -1);
  EXPECT_EQ(series(all + " or " + all), -1);
  for (const char* op : {"topk", "bottomk", "approx_topk"}) {
    EXPECT_EQ(series(std::string(op) + "(10, " + all + ")"), 10) << op;
    EXPECT_EQ(series(std::string(op) + "(10, " + grouped + ")"), 10) << op;
  }
  EXPECT_EQ(series("topk(10, " + all + " / " + all + ")"), 10);
  EXPECT_EQ(series("topk(10, " + all + " or " + grouped + ")"), 10);
  EXPECT_EQ(series(all + " > 616"), 3);
  EXPECT_EQ(series("topk(5, " + all + ") / on (i) group_left () " + grouped), 5);
  EXPECT_EQ(series(all + " and topk(7, " + all + ")"), 7);
  EXPECT_EQ(series("count(" + all + ")"), 1);
  EXPECT_EQ(series("sort_desc(topk(3, " + all + "))"), 3);
  EXPECT_EQ(series("topk(3, label_replace(" + all + R"(, "j", "z", "i", ".+")))"), 3);
}

}  // namespace
}  // namespace varve
