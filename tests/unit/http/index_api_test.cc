#include "http/index_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "handler_call.h"
#include "tests/support/memory_engine.h"

namespace varve {
namespace {

using ::testing::AllOf;
using testing::CallHandler;
using ::testing::HasSubstr;
using testing::MemoryEngine;
using testing::Query;
using ::testing::StartsWith;

constexpr int64_t kMinute = 60 * kNsPerSecond;
constexpr int64_t kBase = 1'793'491'200 * kNsPerSecond;  // 2026-11-01T00:00:00Z

class FixedClock final : public Clock {
 public:
  int64_t NowNs() const override { return kBase + 6 * kNsPerHour; }
};

class IndexApiTest : public ::testing::Test {
 protected:
  IndexApiTest() : api_(Context()) {
    api_.AddRoutes(&router_);
    // One entry a minute for two hours in each; lines of 10 and of 3 bytes.
    for (int i = 0; i < 120; ++i) {
      engine_.Add(Labels::FromUnsorted({{"job", "big"}, {"zone", "z1"}}), kBase + i * kMinute, "0123456789");
      engine_.Add(Labels::FromUnsorted({{"job", "small"}, {"zone", "z2"}, {"code", "200"}}),
                  kBase + i * kMinute, "abc");
      if (i == 59) engine_.Seal();
    }
  }
  ReadContext Context() {
    ReadContext context;
    context.engine = &engine_;
    context.clock = &clock_;
    return context;
  }
  // The body of a 200, or "status: body".
  std::string Ask(const std::string& path, std::vector<std::pair<std::string, std::string>> params) {
    if (std::none_of(params.begin(), params.end(), [](const auto& p) { return p.first == "start"; })) {
      params.emplace_back("start", "1793491200");
      params.emplace_back("end", "1793498400");  // two hours
    }
    const HttpResponse response = CallHandler(router_, "GET", path + "?" + Query(params));
    return response.status == 200 ? response.body : std::to_string(response.status) + ": " + response.body;
  }
  static std::string Result(const std::string& json) {
    return json.substr(json.find("\"data\":"), json.find(",\"stats\"") - json.find("\"data\":"));
  }

  FixedClock clock_;
  MemoryEngine engine_;
  Router router_;
  IndexApi api_;
};

TEST_F(IndexApiTest, CountsStreamsEntriesAndBytes) {
  EXPECT_THAT(Ask("/loki/api/v1/index/stats", {{"query", "{job=~\".+\"}"}}),
              HasSubstr("\"bytes\":1560,\"entries\":240}"));
  EXPECT_THAT(Ask("/loki/api/v1/index/stats", {{"query", "{job=\"big\"}"}}), StartsWith("{\"streams\":1,"));
}

TEST_F(IndexApiTest, CountsOnlyWhatLiesInTheRange) {
  EXPECT_THAT(Ask("/loki/api/v1/index/stats",
                  {{"query", "{job=\"big\"}"}, {"start", "1793491260"}, {"end", "1793491380"}}),
              HasSubstr("\"bytes\":30,\"entries\":3}"));  // both ends included
}

TEST_F(IndexApiTest, AnswersZerosWhereNothingIs) {
  EXPECT_EQ(Ask("/loki/api/v1/index/stats", {{"query", "{job=\"nosuch\"}"}}),
            "{\"streams\":0,\"chunks\":0,\"bytes\":0,\"entries\":0}\n");
}

TEST_F(IndexApiTest, RefusesWhatIsNoSelector) {
  struct Case {
    const char *query, *answer;
  };
  const Case cases[] = {{"{job=\"big\"} |= \"x\"", "400: only label matchers are supported"},
                        {"rate({job=\"big\"}[1m])", "400: only label matchers are supported"},
                        {"bad", "400: parse error at line 1, col 1: syntax error: unexpected IDENTIFIER"},
                        {"", "400: parse error : syntax error: unexpected $end"},
                        {"{}", "400: parse error : queries require at least one"}};
  for (const Case& c : cases) {
    EXPECT_THAT(Ask("/loki/api/v1/index/stats", {{"query", c.query}}), StartsWith(c.answer));
  }
}

TEST_F(IndexApiTest, SumsVolumeByTheLabelsOfTheSelector) {
  EXPECT_EQ(Result(Ask("/loki/api/v1/index/volume", {{"query", "{job=~\".+\"}"}})),
            R"("data":{"resultType":"vector","result":[{"metric":{"job":"big"},"value":[1793498400,"1200"]},)"
            R"({"metric":{"job":"small"},"value":[1793498400,"360"]}])");
}

TEST_F(IndexApiTest, SumsVolumeByTargetLabels) {
  EXPECT_THAT(Ask("/loki/api/v1/index/volume", {{"query", "{job=~\".+\"}"}, {"targetLabels", "zone"}}),
              HasSubstr(R"([{"metric":{"zone":"z1"},"value":[1793498400,"1200"]},{"metric":{"zone":"z2"})"));
  // Streams without the label are left out.
  EXPECT_THAT(Ask("/loki/api/v1/index/volume", {{"query", "{job=~\".+\"}"}, {"targetLabels", "code"}}),
              HasSubstr(R"("result":[{"metric":{"code":"200"},"value":[1793498400,"360"]}])"));
}

TEST_F(IndexApiTest, SumsVolumeByLabelNames) {
  EXPECT_THAT(
      Ask("/loki/api/v1/index/volume", {{"query", "{job=~\".+\"}"}, {"aggregateBy", "labels"}}),
      HasSubstr(R"([{"metric":{"job":""},"value":[1793498400,"1560"]},{"metric":{"zone":""},)"
                R"("value":[1793498400,"1560"]},{"metric":{"code":""},"value":[1793498400,"360"]}])"));
}

TEST_F(IndexApiTest, TakesEverythingForAnEmptySelectorAndLimits) {
  // 0 asks for the default.
  EXPECT_THAT(Ask("/loki/api/v1/index/volume", {{"query", "{}"}, {"limit", "0"}}),
              AllOf(HasSubstr("\"big\""), HasSubstr("\"small\"")));
  EXPECT_THAT(Ask("/loki/api/v1/index/volume", {{"query", "{}"}, {"limit", "1"}}),
              HasSubstr(R"("result":[{"metric":{"job":"big","zone":"z1"},"value":[1793498400,"1200"]}])"));
}

TEST_F(IndexApiTest, SplitsVolumeByStep) {
  EXPECT_EQ(Result(Ask("/loki/api/v1/index/volume_range", {{"query", "{job=\"big\"}"}, {"step", "1h"}})),
            R"("data":{"resultType":"matrix","result":[{"metric":{"job":"big"},)"
            R"("values":[[1793494799.999,"600"],[1793498400,"600"]]}])");
  EXPECT_THAT(
      Ask("/loki/api/v1/index/volume_range", {{"query", "{job=\"big\"}"}, {"step", "2h"}}),
      HasSubstr(R"("resultType":"vector","result":[{"metric":{"job":"big"},"value":[1793498400,"1200"]}])"));
}

TEST_F(IndexApiTest, RefusesBadVolumeParameters) {
  struct Case {
    std::vector<std::pair<std::string, std::string>> params;
    const char* answer;
  };
  const Case cases[] = {
      {{{"query", "{job=\"a\"}"}, {"aggregateBy", "x"}}, "400: invalid aggregation option"},
      {{{"query", "{job=\"a\"}"}, {"limit", "-1"}}, "400: limit must be a positive value"},
      {{{"query", "{job=\"a\"}"}, {"step", "0"}}, "400: zero or negative query resolution step widths"},
      {{{"query", "{job=\"a\"}"}, {"start", "x"}}, "400: could not parse 'start' parameter"},
      {{{"query", "{job=\"a\"}"}, {"start", "20"}, {"end", "10"}}, "400: this data is no longer available"},
  };
  for (const Case& c : cases)
    EXPECT_THAT(Ask("/loki/api/v1/index/volume_range", c.params), StartsWith(c.answer));
}

TEST_F(IndexApiTest, DetectsLabelsThatAreNoIds) {
  EXPECT_EQ(Ask("/loki/api/v1/detected_labels", {{"query", ""}}),
            R"({"detectedLabels":[{"label":"job","cardinality":2},{"label":"zone","cardinality":2}]})"
            "\n");
  EXPECT_EQ(Ask("/loki/api/v1/detected_labels", {{"query", "{job=\"nosuch\"}"}}), "{}\n");
}

TEST_F(IndexApiTest, CountsHeldInMemoryAgainstTheQueryBudget) {
  Ask("/loki/api/v1/index/stats",
      {{"query", "{job=\"big\"}"}, {"start", "1793491260"}, {"end", "1793491380"}});
  EXPECT_EQ(engine_.query_budget()->used_bytes(), 0);
}

}  // namespace
}  // namespace varve
