#include "query/exec/query.h"

#include "engine/base/clock.h"
#include "tests/unit/query/exec/query_fixture.h"

namespace varve {
namespace {

class Query : public testing::QueryFixture {
 protected:
  void AddSome() {
    for (int64_t second = 0; second < 100; ++second) {
      Add({{"a", std::to_string(second % 5)}}, second, "some line");
      if (second % 20 == 19) engine_.Seal();
    }
  }
};

TEST_F(Query, RefusesWhatExceedsALimitWithLokisTexts) {
  AddSome();
  const std::string log = R"({a=~".+"})";
  limits_.max_query_length_ns = 721 * kNsPerHour;
  EXPECT_EQ(
      Log(log, 0, 960 * 3600),
      "invalid argument: the query time range exceeds the limit (query length: 960h0m0s, limit: 30d1h)");
  request_.limit = 6000;
  EXPECT_EQ(Log(log, 0, 10),
            "invalid argument: max entries limit per query exceeded, limit > max_entries_limit_per_query "
            "(6000 > 5000)");
  request_.limit = 100;
  limits_.max_query_series = 3;
  EXPECT_EQ(
      Instant(R"(count_over_time({a=~".+"}[1h]))", 100),
      "invalid argument: maximum number of series (3) reached for a single query; consider reducing query "
      "cardinality by adding more specific stream selectors, reducing the time range, or aggregating results "
      "with "
      "functions like sum(), count() or topk()");
  // Only the final result counts.
  EXPECT_EQ(Instant(R"(count(count_over_time({a=~".+"}[1h])))", 100), "{} 100=5");
  limits_.max_query_series = 500;
  limits_.max_query_range_ns = 300 * kSecond;
  EXPECT_EQ(Instant(R"(1 + sum(rate({a=~".+"}[10m])))", 100),
            "invalid argument: [interval] value exceeds limit: [10m] > [5m]");
  limits_.max_streams_matchers_per_query = 2;
  EXPECT_EQ(Log(R"({a="1",b="",c=""})", 0, 10),
            "invalid argument: max streams matchers per query exceeded, matchers-count > limit (3 > 2)");
  limits_.max_streams_matchers_per_query = 1000;
  limits_.max_regex_size = 3;
  for (const char* query :
       {R"({a=~"1|2|3"})", R"({a="1"} |~ "x" or "abcd")", "{a=\"1\"} | regexp \"(?P<b>x)\"",
        R"({a="1"} | b="1" or (c=~"abcd" and d>1))", R"({a="1"} | keep b, c!~"abcd")",
        R"({a="1"} | drop b=~"abcd")", R"(1 + sum(rate({a="1"} | unwrap b | c=~"abcd" [1m])))",
        R"(label_replace(rate({a="1"}[1m]), "b", "", "c", "abcd"))"}) {
    EXPECT_NE(Instant(query, 10).find(" exceeds limits.max_regex_size (3)"), std::string::npos) << query;
  }
  EXPECT_EQ(Instant(R"(count_over_time({a="1"} |~ "abcd" [1m]))", 10),
            "invalid argument: regular expression of 4 bytes exceeds limits.max_regex_size (3)");
  EXPECT_EQ(Instant(R"(count_over_time({a=~"9|8"} |= "abcd" |> "abcd" | b="abcd" [1m]))", 10), "");
  limits_.max_regex_size = 0;
  EXPECT_EQ(Instant(R"(count_over_time({a="1"} |~ "abcd" [1m]))", 10), "");
  limits_.max_streams_matchers_per_query = 2;
  limits_.required_labels = {"app", "a", "env"};
  EXPECT_EQ(Log(R"({a="1",b=""})", 0, 10),
            "invalid argument: stream selector is missing required matchers [app, env], labels present in "
            "the query were "
            "[a, b]");
  limits_.required_labels.clear();
  limits_.minimum_labels_number = 2;
  EXPECT_EQ(Log(R"({a="1"})", 0, 10),
            "invalid argument: stream selector has less label matchers than required: (present: [a], "
            "number_present: 1, "
            "required_number_label_matchers: 2)");
  limits_.minimum_labels_number = 0;
  limits_.cardinality_limit = 4;
  EXPECT_EQ(Log(R"({a=~".+", b=""})", 0, 100),
            "invalid argument: cardinality limit exceeded for {a=~\".+\", b=\"\"}; 5 entries, more than limit of 4");
  limits_.cardinality_limit = 5;
  limits_.max_query_bytes_read = 100;
  EXPECT_EQ(Log(log, 0, 100),
            "invalid argument: the query would read too many bytes (query: 900 B, limit: 100 B); consider "
            "adding more "
            "specific stream selectors or reduce the time range of the query");
}

TEST_F(Query, RefusesLogQueriesAsInstantOnes) {
  EXPECT_EQ(Instant(R"({a="1"})", 5),
            "invalid argument: log queries are not supported as an instant query type, please change your "
            "query to a "
            "range query type");
}

TEST_F(Query, LooksBackNoFurtherThanAllowed) {
  const int64_t now_s = engine_.options().clock->NowNs() / kSecond;
  for (const int64_t age : {30, 90, 5000}) Add({{"a", "1"}}, now_s - age, std::to_string(age));
  limits_.max_query_lookback_ns = 3600 * kSecond;
  const std::string answer = Log(R"({a="1"})", now_s - 10000, now_s);
  EXPECT_NE(answer.find(":30"), std::string::npos);
  EXPECT_EQ(answer.find(":5000"), std::string::npos);
  EXPECT_EQ(Log(R"({a="1"})", now_s - 10000, now_s - 5000), "");
  EXPECT_EQ(Instant(R"(count_over_time({a="1"}[1h]))", now_s - 5000), "");
}

TEST_F(Query, StopsWhenCancelledOrLate) {
  AddSome();
  CancelToken cancelled;
  cancelled.Cancel();
  request_.cancel = &cancelled;
  EXPECT_EQ(Log(R"({a=~".+"})", 0, 100), "cancelled: the request was cancelled by the client");
  EXPECT_EQ(Instant(R"(sum(rate({a=~".+"} |= "x" [1h])))", 100),
            "cancelled: the request was cancelled by the client");
  const CancelToken late(CancelToken::SteadyTime::min());
  request_.cancel = &late;
  EXPECT_EQ(Log(R"({a=~".+"})", 0, 100).substr(0, 18), "deadline exceeded:");
}

TEST_F(Query, FailsCleanlyAtEveryLoad) {
  AddSome();
  for (const char* query : {R"({a=~".+"} |= "some")", R"(sum by (a) (rate({a=~".+"} |= "some" [1h])))",
                            R"(avg_over_time({a=~".+"} | logfmt | unwrap x [1h]))"}) {
    bool failed = true;
    int64_t n = 0;
    for (; failed; ++n) {
      recording_.FailLoadAfter(n);
      const bool metric = query[0] != '{';
      const std::string answer = metric ? Range(query, 0, 100, 10) : Log(query, 0, 100);
      failed = answer == "corruption: the block is damaged";
    }
    EXPECT_GT(n, 3) << query;
    recording_.FailLoadAfter(-1);
  }
}

TEST_F(Query, TheErrorOfTheFirstSourceIsTheQuerysWhicheverThreadIsFaster) {
  for (int64_t second = 0; second < 200; ++second) {
    Add({{"a", "1"}}, second, second < 20 ? "v=1" : "v=bad" + std::to_string(second));
    if (second % 20 == 19) engine_.Seal();
  }
  for (int round = 0; round < 50; ++round) {
    const std::string answer = Instant(R"(sum_over_time({a="1"} | logfmt | unwrap v [1h]))", 300);
    EXPECT_NE(answer.find("bad20\\\""), std::string::npos) << answer;
  }
}

TEST_F(Query, RunsOutOfMemoryWithAnErrorAndGivesBackWhatItTook) {
  AddSome();
  for (const char* query : {R"({a=~".+"} |= "some")", R"(rate({a=~".+"}[1h]))"}) {
    limits_.max_query_memory_bytes = 300;
    const std::string answer = query[0] == '{' ? Log(query, 0, 100) : Range(query, 0, 100, 10);
    EXPECT_EQ(answer.substr(0, 19), "resource exhausted:") << answer;
  }
}

TEST_F(Query, ReportsWhatItDid) {
  AddSome();
  Log(R"({a=~".+"} |= "some")", 0, 100);
  EXPECT_EQ(stats_.streams, 5u);
  EXPECT_GE(stats_.sources, 5u);
  EXPECT_EQ(stats_.sources_loaded, stats_.sources);
  EXPECT_EQ(stats_.lines_processed, 100u);
  EXPECT_EQ(stats_.bytes_processed, 900u);
  EXPECT_EQ(stats_.lines_after_filters, 100u);
  EXPECT_EQ(stats_.entries_returned, 100u);
  EXPECT_GT(stats_.exec_seconds, 0);
}

}  // namespace
}  // namespace varve
