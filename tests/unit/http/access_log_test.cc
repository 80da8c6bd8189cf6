#include "http/access_log.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

TEST(AccessLog, QuotesWhatTheClientChose) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/x?q=\"a b\"\n";
  request.remote = "127.0.0.1:5";
  request.headers = {
      {"user-agent", "Grafana/12 evil=1"}, {"x-query-tags", "Source=logvolhist"}, {"x-rule-uid", "r1"}};
  RequestRecord record;
  record.request = &request;
  record.status = 400;
  record.response_bytes = 7;
  record.seconds = 0.0125;
  EXPECT_EQ(AccessLogPayload(record),
            "msg=request method=GET target=\"/x?q=\\\"a b\\\"\\n\" status=400 duration_ms=12 request_bytes=0 "
            "response_bytes=7 remote=127.0.0.1:5 query_tags=\"Source=logvolhist\" rule=r1 "
            "user_agent=\"Grafana/12 evil=1\"");
}

TEST(AccessLog, BoundsLongTargets) {
  HttpRequest request;
  request.method = "GET";
  request.target = std::string(100'000, 'x');
  RequestRecord record;
  record.request = &request;
  EXPECT_LT(AccessLogPayload(record).size(), 3000U);
}

}  // namespace
}  // namespace varve
