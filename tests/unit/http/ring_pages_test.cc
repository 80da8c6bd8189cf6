#include "http/ring_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "handler_call.h"

namespace varve {
namespace {

using testing::CallHandler;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class RingPagesTest : public ::testing::Test {
 protected:
  RingPagesTest() : pages_([] { return std::string("127.0.0.1:3100"); }, &Clock::System()) {
    pages_.AddRoutes(&router_);
  }
  Router router_;
  RingPages pages_;
};

TEST_F(RingPagesTest, EveryRingHasOneActiveMember) {
  for (const char* path : {"/ring", "/distributor/ring", "/indexgateway/ring", "/scheduler/ring",
                           "/compactor/ring", "/ruler/ring", "/pattern/ring"}) {
    const HttpResponse json = CallHandler(router_, "GET", path, "", {{"accept", "application/json"}});
    EXPECT_EQ(json.content_type, "application/json");
    EXPECT_THAT(
        json.body,
        MatchesRegex(R"(\{"shards":\[\{"id":"[^"]+","state":"ACTIVE","address":"127\.0\.0\.1:3100",)"
                     R"("timestamp":"[^"]+Z","registered_timestamp":"[^"]+Z","read_only":false,)"
                     R"("read_only_updated_timestamp":"","zone":"","tokens":\[[0-9]+\]\}\],"now":"[^"]+Z"\})"
                     "\n"));
    const HttpResponse html = CallHandler(router_, "GET", path, "", {{"accept", "text/html"}});
    EXPECT_EQ(html.content_type, "text/html; charset=utf-8");
    EXPECT_THAT(html.body, HasSubstr("<td>ACTIVE</td><td>127.0.0.1:3100</td>"));
  }
}

TEST_F(RingPagesTest, ThereIsNoMemberList) {
  const HttpResponse response = CallHandler(router_, "GET", "/memberlist");
  EXPECT_EQ(response.content_type, "text/plain");
  EXPECT_EQ(response.body, "This instance doesn't use memberlist.");
}

}  // namespace
}  // namespace varve
