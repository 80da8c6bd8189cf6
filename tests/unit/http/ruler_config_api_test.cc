#include "http/ruler_config_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "handler_call.h"
#include "tests/unit/alerting/rules/ruler_fixture.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::CallHandler;
using testing::Group;
using testing::Recording;

constexpr char kGroup[] = "name: g\ninterval: 1m\nrules:\n- alert: A\n  expr: up == 0\n  for: 5m\n  labels:\n    severity: page\n";
constexpr char kAccepted[] = R"({"status":"success","data":null,"errorType":"","error":""})";
constexpr const char* kBases[] = {"/loki/api/v1/rules", "/api/prom/rules", "/config/v1/rules",
                                  "/prometheus/config/v1/rules"};

class RulerConfigApiTest : public ::testing::Test {
 protected:
  explicit RulerConfigApiTest(RulerOptions options = {})
      : fixture_(std::move(options)), api_(false, fixture_.ruler.get(), nullptr) {
    api_.AddRoutes(&router_);
  }
  HttpResponse Call(const std::string& method, const std::string& target, const std::string& body = {}) {
    return CallHandler(router_, method, target, body);
  }

  testing::RulerFixture fixture_;
  RulerConfigApi api_;
  Router router_;
};

TEST_F(RulerConfigApiTest, SaysThatRulesCanBeMade) {
  for (const std::string base : kBases) {
    const HttpResponse probe = Call("GET", base + "/test/test");
    EXPECT_EQ(404, probe.status);
    EXPECT_EQ("group does not exist\n", probe.body);
    EXPECT_EQ("no rule groups found\n", Call("GET", base).body);
    EXPECT_EQ(404, Call("GET", base + "/test").status);
  }
}

TEST_F(RulerConfigApiTest, MakesShowsReplacesAndDeletesGroups) {
  for (const std::string base : kBases) {
    const HttpResponse made = Call("POST", base + "/space%2Fa", kGroup);
    EXPECT_EQ(202, made.status) << made.body;
    EXPECT_EQ(kAccepted, made.body);
    EXPECT_EQ("application/json", made.content_type);
    const HttpResponse group = Call("GET", base + "/space%2Fa/g");
    EXPECT_EQ("application/yaml", group.content_type);
    EXPECT_THAT(group.body, HasSubstr("name: g\n"));
    EXPECT_THAT(group.body, HasSubstr("severity: page"));
    EXPECT_THAT(Call("GET", base).body, HasSubstr("space/a:\n"));
    EXPECT_EQ(Call("GET", base).body, Call("GET", base + "/space%2Fa").body);
    EXPECT_EQ(202, Call("POST", base + "/space%2Fa", "name: g\nrules:\n- record: r\n  expr: vector(1)\n").status);
    EXPECT_THAT(Call("GET", base + "/space%2Fa/g").body, HasSubstr("record: r"));
    EXPECT_EQ(1u, fixture_.ruler->ApiGroups("fake").size());
    EXPECT_EQ(202, Call("DELETE", base + "/space%2Fa/g").status);
    EXPECT_EQ(404, Call("GET", base).status);
    EXPECT_EQ(202, Call("POST", base + "/s", kGroup).status);
    EXPECT_EQ(202, Call("DELETE", base + "/s").status);
    EXPECT_EQ("group namespace does not exist\n", Call("DELETE", base + "/s").body);
  }
}

TEST_F(RulerConfigApiTest, TakesTheDeletionOfNothingAsLokiDoesAndMimirDoesNot) {
  EXPECT_EQ(202, Call("DELETE", "/loki/api/v1/rules/a/b").status);
  const HttpResponse mimir = Call("DELETE", "/config/v1/rules/a/b");
  EXPECT_EQ(404, mimir.status);
  EXPECT_EQ("group does not exist\n", mimir.body);
}

TEST_F(RulerConfigApiTest, ReadsExpressionsInTheLanguageOfTheApi) {
  const std::string logs = "name: g\nrules:\n- alert: A\n  expr: sum(count_over_time({a=\"b\"}[5m])) > 1\n";
  EXPECT_EQ(202, Call("POST", "/loki/api/v1/rules/l", logs).status);
  EXPECT_EQ(202, Call("POST", "/config/v1/rules/m", kGroup).status);
  const std::vector<RuleGroup> groups = fixture_.ruler->ApiGroups("fake");
  ASSERT_EQ(2u, groups.size());
  EXPECT_EQ(RuleLanguage::kLogql, groups[0].rules[0].language);
  EXPECT_EQ(RuleLanguage::kPromql, groups[1].rules[0].language);
}

TEST_F(RulerConfigApiTest, RefusesWhatIsNoGroup) {
  for (const char* body : {"", "name: [", "name: ''\nrules: []\n", "name: g\nnope: 1\nrules:\n- record: r\n  expr: up\n",
                           "name: g\nrules:\n- alert: A\n  expr: sum(\n", "name: g\nrules:\n- expr: up\n"}) {
    for (const std::string base : kBases) {
      const HttpResponse refused = Call("POST", base + "/s", body);
      EXPECT_EQ(400, refused.status) << body;
      EXPECT_GT(refused.body.size(), 5u);
      EXPECT_EQ("text/plain; charset=utf-8", refused.content_type);
    }
  }
  EXPECT_TRUE(fixture_.ruler->ApiGroups("fake").empty());
}

TEST_F(RulerConfigApiTest, ShowsOnlyRulesWithTheLabelsThatAreAskedFor) {
  ASSERT_EQ(202, Call("POST", "/config/v1/rules/s", kGroup).status);
  EXPECT_EQ(200, Call("GET", "/config/v1/rules?labels=severity:page").status);
  EXPECT_EQ(404, Call("GET", "/config/v1/rules?labels=severity:page,team:x").status);
}

TEST_F(RulerConfigApiTest, ShowsGrafanaOnlyGroupsThatItCanDecode) {
  const std::string alarm = "name: a\nrules:\n- alert: A\n  expr: up > 1\n  alarm: {evaluation_periods: 2}\n";
  const std::string type = "name: t\nrules:\n- record: r\n  expr: vector(1)\n  type: logql\n";
  ASSERT_EQ(202, Call("POST", "/config/v1/rules/s", alarm).status);
  ASSERT_EQ(202, Call("POST", "/config/v1/rules/s", type).status);
  EXPECT_EQ("no rule groups found\n", Call("GET", "/config/v1/rules?subtype=mimir").body);
  ASSERT_EQ(202, Call("POST", "/config/v1/rules/s", kGroup).status);
  EXPECT_THAT(Call("GET", "/config/v1/rules?subtype=mimir").body, Not(HasSubstr("alarm")));
  EXPECT_THAT(Call("GET", "/config/v1/rules?subtype=mimir").body, HasSubstr("name: g\n"));
  EXPECT_THAT(Call("GET", "/config/v1/rules").body, HasSubstr("evaluation_periods: 2"));
  EXPECT_THAT(Call("GET", "/config/v1/rules/s/t?subtype=mimir").body, HasSubstr("type: logql"));
}

TEST_F(RulerConfigApiTest, DoesNotShowGroupsOfFiles) {
  fixture_.SetGroups({Group("g", {Recording("r", "up")})});
  EXPECT_EQ(404, Call("GET", "/loki/api/v1/rules").status);
  EXPECT_EQ(404, Call("GET", "/loki/api/v1/rules/rules.yml/g").status);
}

class RulerLimitsTest : public RulerConfigApiTest {
 protected:
  RulerLimitsTest() : RulerConfigApiTest({.rules_per_group_max = 1, .groups_max = 1}) {}
};

TEST_F(RulerLimitsTest, RefusesTooManyRulesAndGroups) {
  const HttpResponse rules = Call("POST", "/loki/api/v1/rules/s",
                                  "name: g\nrules:\n- record: a\n  expr: vector(1)\n- record: b\n  expr: vector(1)\n");
  EXPECT_EQ(400, rules.status);
  EXPECT_EQ("per-user rules per rule group limit (limit: 1 actual: 2) exceeded\n", rules.body);
  EXPECT_EQ(202, Call("POST", "/loki/api/v1/rules/s", kGroup).status);
  EXPECT_EQ(202, Call("POST", "/loki/api/v1/rules/s", kGroup).status) << "the same one again";
  const HttpResponse groups = Call("POST", "/loki/api/v1/rules/t", kGroup);
  EXPECT_EQ(400, groups.status);
  EXPECT_EQ("per-user rule groups limit (limit: 1 actual: 2) exceeded\n", groups.body);
}

TEST(RulerConfigApi, NeedsATenantAndLoadedRules) {
  testing::RulerFixture fixture;
  Router router;
  bool ready = false;
  RulerConfigApi api(true, fixture.ruler.get(), [&] { return ready; });
  api.AddRoutes(&router);
  EXPECT_EQ(401, CallHandler(router, "GET", "/loki/api/v1/rules").status);
  EXPECT_EQ("multiple org IDs present\n",
            CallHandler(router, "GET", "/loki/api/v1/rules", "", {{"x-scope-orgid", "a|b"}}).body);
  EXPECT_EQ(503, CallHandler(router, "POST", "/config/v1/rules/s", kGroup, {{"x-scope-orgid", "a"}}).status);
  ready = true;
  EXPECT_EQ(202, CallHandler(router, "POST", "/config/v1/rules/s", kGroup, {{"x-scope-orgid", "a"}}).status);
  EXPECT_EQ(200, CallHandler(router, "GET", "/config/v1/rules/s/g", "", {{"x-scope-orgid", "a"}}).status);
  EXPECT_EQ(404, CallHandler(router, "GET", "/config/v1/rules/s/g", "", {{"x-scope-orgid", "b"}}).status);
}

}  // namespace
}  // namespace varve
