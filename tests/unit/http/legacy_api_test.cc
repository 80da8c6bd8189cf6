#include "http/legacy_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "handler_call.h"
#include "ingest/write_path.h"
#include "tests/support/memory_engine.h"

namespace varve {
namespace {

using testing::CallHandler;
using ::testing::HasSubstr;
using testing::MemoryEngine;
using testing::Query;
using ::testing::StartsWith;

constexpr const char* kBody =
    R"({"streams":[{"stream":{"job":"a"},"values":[["1793491200000000000","one"],["1793491201500000000","two"]]},)"
    R"({"stream":{"job":"b\"q"},"values":[["1793491202000000001","three",{"k":"v"}]]}]})";

class LegacyApiTest : public ::testing::Test {
 protected:
  LegacyApiTest() : writes_(&engine_, IngestLimits()), api_(ReadContext{&engine_, QueryLimits()}) {
    api_.AddRoutes(&router_);
    PushRequest push;
    push.content_type = "application/json";
    push.body = kBody;
    EXPECT_TRUE(writes_.Push(push).status.ok());
  }
  HttpResponse Ask(std::vector<std::pair<std::string, std::string>> params) {
    params.emplace_back("start", "1793491200");
    params.emplace_back("end", "1793491300");
    return CallHandler(router_, "GET", "/api/prom/query?" + Query(params));
  }
  MemoryEngine engine_;
  WritePath writes_;
  Router router_;
  LegacyApi api_;
};

TEST_F(LegacyApiTest, AnswersInTheOldShape) {
  const HttpResponse response = Ask({{"query", R"({job=~".+"})"}, {"direction", "forward"}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json; charset=UTF-8");
  EXPECT_THAT(
      response.body,
      StartsWith(
          R"({"streams":[{"labels":"{detected_level=\"unknown\", job=\"a\", service_name=\"a\"}",)"
          R"("entries":[{"ts":"2026-11-01T00:00:00Z","line":"one"},{"ts":"2026-11-01T00:00:01.5Z","line":"two"}]},)"
          R"({"labels":"{detected_level=\"unknown\", job=\"b\\\"q\", k=\"v\", service_name=\"b\\\"q\"}",)"
          R"("entries":[{"ts":"2026-11-01T00:00:02.000000001Z","line":"three"}]}],"stats":{"summary":{)"));
}

TEST_F(LegacyApiTest, FiltersByRegexp) {
  const HttpResponse response = Ask({{"query", R"(({job="a"}) # a comment)"}, {"regexp", "^t\"?w"}});
  EXPECT_THAT(response.body, HasSubstr(R"("entries":[{"ts":"2026-11-01T00:00:01.5Z","line":"two"}]}],)"));
  EXPECT_EQ(Ask({{"query", R"({job="a"})"}, {"regexp", "("}}).status, 400);
}

TEST_F(LegacyApiTest, FindsNothing) {
  EXPECT_THAT(Ask({{"query", R"({job="c"})"}}).body, StartsWith(R"({"streams":[],"stats":{)"));
}

TEST_F(LegacyApiTest, RefusesMetricQueries) {
  const HttpResponse response = Ask({{"query", R"(rate({job="a"}[1m]))"}, {"regexp", "x"}});
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body, "legacy endpoints only support streams result type");
}

TEST(Rfc3339NanoText, IsGos) {
  EXPECT_EQ(Rfc3339NanoText(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(Rfc3339NanoText(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(Rfc3339NanoText(1'120'000'000), "1970-01-01T00:00:01.12Z");
}

}  // namespace
}  // namespace varve
