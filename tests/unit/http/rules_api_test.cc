#include "http/rules_api.h"

#include <gtest/gtest.h>

#include "handler_call.h"

namespace varve {
namespace {

using testing::CallHandler;

TEST(RulesApi, HasNoRules) {
  Router router;
  RulesApi api(false);
  api.AddRoutes(&router);
  for (const std::string base : {"/loki/api/v1/rules", "/api/prom/rules"}) {
    for (const std::string& path : {base, base + "/space"}) {
      const HttpResponse groups = CallHandler(router, "GET", path);
      EXPECT_EQ(groups.status, 404);
      EXPECT_EQ(groups.body, "no rule groups found\n");
      EXPECT_EQ(groups.content_type, "text/plain; charset=utf-8");
    }
    EXPECT_EQ(CallHandler(router, "GET", base + "/space/group").body,
              "GetRuleGroup unsupported in rule local store\n");
  }
  const HttpResponse rules = CallHandler(router, "GET", "/prometheus/api/v1/rules?type=alert");
  EXPECT_EQ(rules.status, 200);
  EXPECT_EQ(rules.content_type, "application/json");
  EXPECT_EQ(rules.body, R"({"status":"success","data":{"groups":[]},"errorType":"","error":""})");
  EXPECT_EQ(CallHandler(router, "GET", "/prometheus/api/v1/alerts").body,
            R"({"status":"success","data":{"alerts":[]},"errorType":"","error":""})");
}

TEST(RulesApi, KnowsTwoTypesOfRules) {
  Router router;
  RulesApi api(false);
  api.AddRoutes(&router);
  const HttpResponse bad = CallHandler(router, "GET", "/prometheus/api/v1/rules?type=zz");
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.body,
            R"({"status":"error","data":null,"errorType":"bad_data","error":"not supported value \"zz\""})");
}

TEST(RulesApi, NeedsATenant) {
  Router router;
  RulesApi api(true);
  api.AddRoutes(&router);
  EXPECT_EQ(CallHandler(router, "GET", "/loki/api/v1/rules").status, 401);
  EXPECT_EQ(CallHandler(router, "GET", "/loki/api/v1/rules", "", {{"x-scope-orgid", "a|b"}}).body,
            "multiple org IDs present\n");
}

}  // namespace
}  // namespace varve
