#include "http/push_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "handler_call.h"
#include "tests/support/memory_engine.h"

namespace varve {
namespace {

using testing::CallHandler;
using ::testing::HasSubstr;
using testing::MemoryEngine;

constexpr const char* kBody =
    R"({"streams":[{"stream":{"job":"a"},"values":[["1793491200000000000","one"],["1793491201000000000","two"]]}]})";

class PushApiTest : public ::testing::Test {
 protected:
  explicit PushApiTest(bool auth = false) : writes_(&engine_, IngestLimits()), api_(&writes_, auth) {
    api_.AddRoutes(&router_);
  }
  HttpResponse Push(const std::string& body, std::vector<std::pair<std::string, std::string>> headers = {},
                    const std::string& path = "/loki/api/v1/push") {
    headers.emplace_back("content-type", "application/json");
    return CallHandler(router_, "POST", path, body, std::move(headers));
  }
  MemoryEngine engine_;
  WritePath writes_;
  Router router_;
  PushApi api_;
};

class TenantPushTest : public PushApiTest {
 protected:
  TenantPushTest() : PushApiTest(true) {}
};

TEST_F(PushApiTest, AnswersNoContent) {
  for (const char* path : {"/loki/api/v1/push", "/api/prom/push"}) {
    const HttpResponse response = Push(kBody, {}, path);
    EXPECT_EQ(response.status, 204);
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(response.content_type, "");
  }
  EXPECT_EQ(engine_.Stats().appended_entries, 4U);
}

TEST_F(PushApiTest, MapsErrorsToTextWithANewline) {
  const HttpResponse nothing = Push("{}");
  EXPECT_EQ(nothing.status, 422);
  EXPECT_EQ(nothing.body, "error at least one valid stream is required for ingestion\n");
  EXPECT_EQ(nothing.content_type, "text/plain; charset=utf-8");
  const HttpResponse untyped = CallHandler(router_, "POST", "/loki/api/v1/push", kBody);
  EXPECT_EQ(untyped.status, 400);
  EXPECT_EQ(untyped.body, "mime: no media type\n");
}

TEST_F(PushApiTest, TellsClientsToComeBackWhenTheEngineSheds) {
  engine_.FailAppends(Unavailable("no room in the heads"));
  const HttpResponse shed = Push(kBody);
  EXPECT_EQ(shed.status, 503);
  EXPECT_THAT(shed.body, HasSubstr("no room in the heads"));
  EXPECT_THAT(shed.headers, ::testing::Contains(::testing::Pair("Retry-After", "1")));
  engine_.FailAppends(StorageFull("disk"));
  EXPECT_EQ(Push(kBody).status, 507);
  engine_.FailAppends(IoError("journal"));
  EXPECT_EQ(Push(kBody).status, 500);
}

TEST_F(PushApiTest, FilesEverythingUnderTheSingleTenant) {
  EXPECT_EQ(Push(kBody, {{"x-scope-orgid", "team-a"}}).status, 204);
  EXPECT_TRUE(engine_.FindTenant("fake").ok());
  EXPECT_FALSE(engine_.FindTenant("team-a").ok());
}

TEST_F(TenantPushTest, FilesUnderTheTenantOfTheHeader) {
  EXPECT_EQ(Push(kBody, {{"x-scope-orgid", "team-a"}}).status, 204);
  EXPECT_TRUE(engine_.FindTenant("team-a").ok());
  EXPECT_EQ(Push(kBody).status, 401);
  EXPECT_EQ(Push(kBody, {{"x-scope-orgid", "a|b"}}).body, "multiple org IDs present\n");
}

}  // namespace
}  // namespace varve
