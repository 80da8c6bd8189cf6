#include "http/link_pages.h"

#include <gtest/gtest.h>

#include "handler_call.h"

namespace varve {
namespace {

using testing::CallHandler;
using testing::UrlEncoded;

std::string LocationOf(const std::string& target) {
  Router router;
  AddLinkPages(&router);
  const HttpResponse response = CallHandler(router, "GET", target);
  EXPECT_EQ(302, response.status) << target;
  return response.headers.size() == 1 && response.headers[0].first == "Location" ? response.headers[0].second : "";
}

TEST(LinkPages, AnExpressionLeadsToItsAnswerInItsLanguage) {
  EXPECT_EQ("api/v1/query?query=up+%3D%3D+0", LocationOf("/graph?g0.expr=up+%3D%3D+0&g0.tab=1"));
  EXPECT_EQ("loki/api/v1/query?query=sum%28rate%28%7Ba%3D%22b%22%7D+%7C%3D+%22x%22+%5B5m%5D%29%29",
            LocationOf("/graph?g0.expr=" + UrlEncoded("sum(rate({a=\"b\"} |= \"x\" [5m]))")));
}

TEST(LinkPages, EverythingElseLeadsToTheAlerts) {
  for (const char* target : {"/", "/graph", "/graph?g0.expr=", "/graph?%zz"}) EXPECT_EQ("api/v1/alerts", LocationOf(target)) << target;
}

}  // namespace
}  // namespace varve
