#include "http/loki_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "handler_call.h"
#include "tests/support/memory_engine.h"

namespace varve {
namespace {

using testing::CallHandler;
using ::testing::HasSubstr;
using testing::MemoryEngine;
using testing::Query;
using ::testing::StartsWith;

using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr int64_t kBase = 1'793'491'200 * kNsPerSecond;  // 2026-11-01T00:00:00Z
constexpr int64_t kMinute = 60 * kNsPerSecond;

class FixedClock final : public Clock {
 public:
  int64_t NowNs() const override { return kBase + kNsPerHour; }
};

class LokiApiTest : public ::testing::Test {
 protected:
  explicit LokiApiTest(bool auth = false) : api_(Context(auth)) {
    api_.AddRoutes(&router_);
    std::string metadata;
    std::vector<MetadataPair> pairs = {{"trace_id", "t1"}};
    EncodeMetadata(&pairs, &metadata);
    for (int i = 0; i < 10; ++i) {
      engine_.Add(Stream("a"), kBase + i * kMinute, "n=" + std::to_string(i), i == 0 ? metadata : "");
    }
    engine_.Add(Stream("b"), kBase + 5 * kMinute, "other <b>");
    engine_.Add(Labels::FromUnsorted({{"job", "theirs"}}), kBase, "not yours", {}, "team-b");
  }
  static Labels Stream(const char* job) { return Labels::FromUnsorted({{"job", job}, {"env", "prod"}}); }
  ReadContext Context(bool auth) {
    ReadContext context;
    context.engine = &engine_;
    context.auth_enabled = auth;
    context.clock = &clock_;
    context.limits.max_entries_limit_per_query = 200;
    return context;
  }
  // The body of a 200 up to the statistics, or "status: body".
  std::string Ask(const std::string& path, const Pairs& params, const Pairs& headers = {}) {
    const HttpResponse response =
        CallHandler(router_, "GET", "/loki/api/v1/" + path + "?" + Query(params), "", headers);
    if (response.status != 200) return std::to_string(response.status) + ": " + response.body;
    return response.body.substr(0, response.body.find(",\"stats\""));
  }

  FixedClock clock_;
  MemoryEngine engine_;
  Router router_;
  LokiApi api_;
};

class TenantReadTest : public LokiApiTest {
 protected:
  TenantReadTest() : LokiApiTest(true) {}
};

TEST_F(LokiApiTest, AnswersLogQueriesWithMergedLabels) {
  EXPECT_EQ(
      Ask("query_range", {{"query", "{job=\"a\"}"}, {"start", "1793491200"}, {"end", "1793491320"}}),
      R"({"status":"success","data":{"resultType":"streams","result":[)"
      R"({"stream":{"env":"prod","job":"a"},"values":[["1793491260000000000","n=1"]]},)"
      R"({"stream":{"env":"prod","job":"a","trace_id":"t1"},"values":[["1793491200000000000","n=0"]]}])");
}

TEST_F(LokiApiTest, PagesOnlyWhenAskedTo) {
  const Pairs range = {
      {"query", "{job=\"a\"}"}, {"start", "1793491200"}, {"end", "1793494800"}, {"limit", "4"}};
  const auto page = [&](const Pairs& more) {
    Pairs params = range;
    params.insert(params.end(), more.begin(), more.end());
    return CallHandler(router_, "GET", "/loki/api/v1/query_range?" + Query(params), "", {});
  };
  EXPECT_EQ(page({}).body.find("cursor"), std::string::npos);
  EXPECT_EQ(page({{"paging", "false"}}).body.find("cursor"), std::string::npos);
  std::string more = "true";
  std::vector<size_t> lines;
  for (Pairs next = {{"paging", "true"}}; !more.empty(); next = {{"cursor", more}}) {
    const HttpResponse response = page(next);
    ASSERT_EQ(response.status, 200) << response.body;
    size_t count = 0;
    for (size_t at = 0; (at = response.body.find("\"n=", at)) != std::string::npos; ++at) ++count;
    lines.push_back(count);
    const size_t at = response.body.find(",\"cursor\":\"");
    ASSERT_NE(at, std::string::npos);
    more = response.body.substr(at + 11);
    more.resize(more.find('"'));
  }
  EXPECT_EQ(lines, (std::vector<size_t>{4, 4, 2}));
  for (const Pairs& bad :
       {Pairs{{"cursor", "zz"}}, Pairs{{"paging", "perhaps"}}, Pairs{{"cursor", "0101"}}}) {
    EXPECT_EQ(page(bad).status, 400) << page(bad).body;
  }
  EXPECT_EQ(Ask("query_range", {{"query", "vector(1)"}, {"paging", "true"}}),
            "400: paging is for log queries");
}

TEST_F(LokiApiTest, AnswersLogQueriesByCategory) {
  EXPECT_EQ(
      Ask("query_range",
          {{"query", "{job=\"a\"} | logfmt"},
           {"start", "1793491200"},
           {"end", "1793491320"},
           {"direction", "forward"}},
          {{"x-loki-response-encoding-flags", "categorize-labels"}}),
      R"({"status":"success","data":{"resultType":"streams","encodingFlags":["categorize-labels"],"result":[)"
      R"({"stream":{"env":"prod","job":"a"},"values":[)"
      R"(["1793491200000000000","n=0",{"structuredMetadata":{"trace_id":"t1"},"parsed":{"n":"0"}}],)"
      R"(["1793491260000000000","n=1",{"parsed":{"n":"1"}}]]}])");
}

TEST_F(LokiApiTest, AnswersMetricQueries) {
  EXPECT_EQ(Ask("query_range", {{"query", "sum(count_over_time({env=\"prod\"}[5m]))"},
                                {"start", "1793491500"},
                                {"end", "1793491800"},
                                {"step", "5m"}}),
            R"({"status":"success","data":{"resultType":"matrix","result":[)"
            R"({"metric":{},"values":[[1793491500,"6"],[1793491800,"4"]]}])");
  EXPECT_EQ(
      Ask("query", {{"query", "sum by (job) (count_over_time({env=\"prod\"}[1h]))"}, {"time", "1793494799"}}),
      R"({"status":"success","data":{"resultType":"vector","result":[)"
      R"({"metric":{"job":"a"},"value":[1793494799,"10"]},{"metric":{"job":"b"},"value":[1793494799,"1"]}])");
}

TEST_F(LokiApiTest, PassesGrafanasHealthCheck) {
  EXPECT_EQ(
      Ask("query", {{"direction", "backward"}, {"query", "vector(1)+vector(1)"}, {"time", "4000000000"}}),
      R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[4000000000,"2"]}])");
  EXPECT_EQ(Ask("query", {{"query", "1+1"}, {"time", "1793491500"}}),
            R"({"status":"success","data":{"resultType":"scalar","result":[1793491500,"2"])");
}

TEST_F(LokiApiTest, RefusesWithLokisTexts) {
  struct Case {
    const char* path;
    Pairs params;
    const char* answer;
  };
  const Case cases[] = {
      {"query",
       {{"query", "{job=\"a\"}"}},
       "400: log queries are not supported as an instant query type, please change your query to a range "
       "query type"},
      {"query", {}, "400: parse error : syntax error: unexpected $end"},
      {"query", {{"query", "1"}, {"time", "abc"}}, "400: strconv.ParseInt: parsing \"abc\": invalid syntax"},
      {"query", {{"query", "1"}, {"direction", "x"}}, "400: invalid direction 'x'"},
      {"query_range", {{"query", "{job=~\".*\"}"}}, "400: parse error : queries require at least one regexp"},
      {"query_range",
       {{"query", "{job=\"a\"}"}, {"limit", "201"}},
       "400: max entries limit per query exceeded, limit > max_entries_limit_per_query (201 > 200)"},
      {"query_range",
       {{"query", "{job=\"a\"}"}, {"start", "0"}, {"end", "1793494800"}},
       "400: the query time range exceeds the limit (query length: 498193h0m0s, limit: 30d1h)"},
      {"query_range",
       {{"query", "{job=\"a\"}"}, {"start", "2"}, {"end", "1"}},
       "400: end timestamp must not be before or equal to start time"},
      {"labels", {{"query", "{job=\"a\"} |= \"x\""}}, "400: only label matchers are supported"},
      {"labels", {{"start", "x"}}, "400: could not parse 'start' parameter"},
      {"labels", {{"start", "2"}, {"end", "1"}}, "400: this data is no longer available"},
      {"series",
       {{"match[]", "{job=\"a\"}"}, {"match[]", "{"}},
       "400: parse error at line 1, col 2: syntax error"},
      {"series", {{"match[]", "{job=\"a\"}"}, {"match[]", "{}"}}, "400: 0 matchers in group: {}"},
  };
  for (const Case& c : cases) EXPECT_THAT(Ask(c.path, c.params), StartsWith(c.answer));
}

TEST_F(LokiApiTest, ListsNamesOfWholeDaysAndOfSelections) {
  EXPECT_EQ(Ask("labels", {{"start", "1793494800"}, {"end", "1793494860"}}),
            "{\"status\":\"success\",\"data\":[\"env\",\"job\"]}\n");
  EXPECT_EQ(Ask("labels", {{"query", "{job=\"a\"}"}, {"start", "1793494800"}, {"end", "1793494860"}}),
            "{\"status\":\"success\"}\n");
  EXPECT_EQ(Ask("labels", {{"start", "1793491200"}, {"end", "1793491200"}, {"query", "{job=\"a\"}"}}),
            "{\"status\":\"success\",\"data\":[\"env\",\"job\"]}\n");
  EXPECT_EQ(Ask("labels", {{"start", "1783491200"}, {"end", "1783491300"}}), "{\"status\":\"success\"}\n");
}

TEST_F(LokiApiTest, ListsValues) {
  EXPECT_EQ(Ask("label/job/values", {}), "{\"status\":\"success\",\"data\":[\"a\",\"b\"]}\n");
  EXPECT_EQ(Ask("label/job/values", {{"query", "{job!=\"a\",env=\"prod\"}"}}),
            "{\"status\":\"success\",\"data\":[\"b\"]}\n");
  EXPECT_EQ(Ask("label/no%2Fsuch%20label/values", {}), "{\"status\":\"success\"}\n");
}

TEST_F(LokiApiTest, ListsSeriesOnce) {
  const std::string both =
      R"({"status":"success","data":[{"env":"prod","job":"a"},{"env":"prod","job":"b"}]})"
      "\n";
  EXPECT_EQ(Ask("series", {}), both);
  EXPECT_EQ(Ask("series", {{"match[]", "{}"}}), both);
  EXPECT_EQ(Ask("series", {{"match[]", "{job=\"a\"}"}, {"match[]", "{env=\"prod\"}"}}), both);
  EXPECT_EQ(Ask("series", {{"match", "{job=\"nosuch\"}"}}), "{\"status\":\"success\",\"data\":[]}\n");
}

TEST_F(LokiApiTest, TakesParametersFromAForm) {
  const HttpResponse response =
      CallHandler(router_, "POST", "/loki/api/v1/series?match[]=%7Bjob%3D%22b%22%7D",
                  "match[]=%7Bjob%3D%22a%22%7D", {{"content-type", "application/x-www-form-urlencoded"}});
  EXPECT_THAT(response.body, HasSubstr("\"a\"},{"));
  EXPECT_EQ(CallHandler(router_, "GET", "/loki/api/v1/labels?a=%zz").status, 400);
}

TEST_F(LokiApiTest, FormatsQueries) {
  EXPECT_EQ(Ask("format_query", {{"query", "{job=\"a\"}|=\"<x>\""}}),
            R"({"status":"success","data":"{job=\"a\"} |= \"\u003cx\u003e\""})"
            "\n");
  EXPECT_THAT(
      Ask("format_query", {{"query", "{job=}"}}),
      StartsWith(R"(400: {"status":"invalid-query","error":"parse error at line 1, col 6: syntax error)"));
}

TEST_F(LokiApiTest, ChargesAnswersUntilTheyHaveGoneOut) {
  {
    const HttpResponse response =
        CallHandler(router_, "GET", "/loki/api/v1/query_range?" + Query({{"query", "{env=\"prod\"}"}}));
    EXPECT_EQ(response.status, 200);
    EXPECT_GE(engine_.query_budget()->used_bytes(), static_cast<int64_t>(response.body.size()));
  }
  EXPECT_EQ(engine_.query_budget()->used_bytes(), 0);
}

TEST_F(LokiApiTest, RefusesAnAnswerThatDoesNotFitIntoMemory) {
  MemoryBudget& budget = *engine_.query_budget();
  ASSERT_TRUE(budget.Reserve(budget.limit_bytes() - 1000).ok());
  EXPECT_THAT(Ask("query", {{"query", "vector(1)"}}), StartsWith("429: "));
  budget.Release(budget.limit_bytes() - 1000);
  EXPECT_THAT(Ask("query", {{"query", "vector(1)"}}), StartsWith("{"));
}

TEST_F(LokiApiTest, StopsWhenTheClientIsGone) {
  CancelToken cancel;
  cancel.Cancel();
  HttpRequest request;
  request.method = "GET";
  request.path = "/loki/api/v1/query_range";
  request.url_query = Query({{"query", "{job=\"a\"} |= \"n\""}});
  request.cancel = &cancel;
  const HttpResponse response = router_.Find("GET", request.path).route->handler(request);
  EXPECT_EQ(response.status, 499);
  EXPECT_EQ(response.body, "the request was cancelled by the client");
}

TEST_F(TenantReadTest, ShowsATenantOnlyItsOwn) {
  EXPECT_EQ(Ask("label/job/values", {}, {{"x-scope-orgid", "team-b"}}),
            "{\"status\":\"success\",\"data\":[\"theirs\"]}\n");
  EXPECT_EQ(Ask("labels", {}), "401: no org id\n");
}

TEST_F(TenantReadTest, AnswersATenantThatWasNeverSeenAndForgetsIt) {
  const Pairs stranger = {{"x-scope-orgid", "stranger"}};
  EXPECT_EQ(Ask("labels", {}, stranger), "{\"status\":\"success\"}\n");
  EXPECT_THAT(Ask("query_range", {{"query", "{job=\"a\"}"}}, stranger), HasSubstr("\"result\":[]"));
  EXPECT_THAT(Ask("query", {{"query", "vector(1)"}}, stranger), HasSubstr("\"value\":["));
  EXPECT_FALSE(engine_.FindTenant("stranger").ok());
}

}  // namespace
}  // namespace varve
