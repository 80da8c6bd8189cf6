#include "http/rules_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "handler_call.h"
#include "http/alarms_api.h"
#include "tests/unit/alerting/rules/ruler_fixture.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::Alerting;
using testing::CallHandler;
using testing::Group;
using testing::Query;
using testing::Recording;

constexpr char kNever[] = "0001-01-01T00:00:00Z";

class RulesApiTest : public ::testing::Test {
 protected:
  RulesApiTest() : api_(&context_, fixture_.ruler.get(), nullptr), alarms_(&context_, fixture_.ruler.get()) {
    context_.engine = &fixture_.engine;
    context_.clock = &fixture_.clock;
    api_.AddRoutes(&router_);
    alarms_.AddRoutes(&router_);
  }
  std::string Get(const std::string& target) { return CallHandler(router_, "GET", target).body; }

  testing::RulerFixture fixture_;
  PrometheusContext context_;
  RulesApi api_;
  AlarmsApi alarms_;
  Router router_;
};

TEST_F(RulesApiTest, HasNoRulesUntilThereAreSome) {
  EXPECT_EQ(Get("/api/v1/rules"), R"({"status":"success","data":{"groups":[]}})");
  EXPECT_EQ(Get("/api/v1/alerts"), R"({"status":"success","data":{"alerts":[]}})");
  EXPECT_EQ(Get("/api/v1/alertmanagers"),
            R"({"status":"success","data":{"activeAlertmanagers":[],"droppedAlertmanagers":[]}})");
  const HttpResponse rules = CallHandler(router_, "GET", "/prometheus/api/v1/rules?type=alert");
  EXPECT_EQ(rules.content_type, "application/json");
  EXPECT_EQ(rules.body, R"({"status":"success","data":{"groups":[]},"errorType":"","error":""})");
  EXPECT_EQ(Get("/prometheus/api/v1/alerts"), R"({"status":"success","data":{"alerts":[]},"errorType":"","error":""})");
}

TEST_F(RulesApiTest, TellsOfRulesInPrometheussWordsAndInLokis) {
  RuleGroup group = Group("g", {Alerting("A", "up == 0\n", 90, {{"severity", "page"}}), Recording("r", "up")});
  group.labels = {{"team", "x"}};
  group.limit = 5;
  fixture_.SetGroups({group});
  const std::string never(kNever);
  EXPECT_EQ(Get("/api/v1/rules"),
            R"({"status":"success","data":{"groups":[{"name":"g","file":"rules.yml","rules":[{"state":"unknown","name":"A",)"
            R"("query":"up == 0","duration":90,"keepFiringFor":0,"labels":{"severity":"page","team":"x"},"annotations":{},)"
            R"("alerts":[],"health":"unknown","evaluationTime":0,"lastEvaluation":")" + never +
            R"(","type":"alerting"},{"name":"r","query":"up","labels":{"team":"x"},"health":"unknown","evaluationTime":0,)"
            R"("lastEvaluation":")" + never +
            R"(","type":"recording"}],"interval":60,"limit":5,"evaluationTime":0,"lastEvaluation":")" + never + R"("}]}})");
  EXPECT_EQ(Get("/prometheus/api/v1/rules?type=record"),
            R"({"status":"success","data":{"groups":[{"name":"g","file":"rules.yml","rules":[{"name":"r","query":"up",)"
            R"("labels":{"team":"x"},"health":"unknown","lastError":"","type":"recording","lastEvaluation":")" + never +
            R"(","evaluationTime":0}],"interval":60,"limit":5,"lastEvaluation":")" + never +
            R"(","evaluationTime":0}]},"errorType":"","error":""})");
}

TEST_F(RulesApiTest, ShowsActiveAlertsWithTheirValues) {
  fixture_.SetGroups({Group("g", {Alerting("A", "up == 0", 0, {{"severity", "page"}})})});
  fixture_.Write({{"__name__", "up"}, {"job", "a"}}, 0, 0);
  fixture_.EvaluateFromTo(0, 2);
  const std::string alerts = Get("/api/v1/alerts");
  EXPECT_THAT(alerts, HasSubstr(R"({"alerts":[{"labels":{"alertname":"A","job":"a","severity":"page"},"annotations":{},)"
                                R"("state":"firing","activeAt":"2026-)"));
  EXPECT_THAT(alerts, HasSubstr(R"("value":"0e+00"}]})"));
  EXPECT_THAT(Get("/api/v1/rules"), HasSubstr(R"("state":"firing","name":"A")"));
  EXPECT_THAT(Get("/api/v1/rules?exclude_alerts=true"), HasSubstr(R"("alerts":null,"health":"ok")"));
  EXPECT_THAT(Get("/prometheus/api/v1/alerts"), HasSubstr(R"("value":"0e+00"}]},"errorType":"","error":""})"));
}

TEST_F(RulesApiTest, FiltersByTypeFileGroupNameAndLabels) {
  RuleGroup second = Group("h", {Alerting("B", "up > 1", 0, {{"severity", "page"}}), Recording("r", "up")});
  second.file = "z.yml";
  fixture_.SetGroups({Group("g", {Alerting("A", "up == 0", 0, {{"severity", "warn"}})}), second});
  const struct {
    const char* query;
    bool a, b, r;
  } cases[] = {
      {"", true, true, true},
      {"?type=ALERT", true, true, false},
      {"?type=record", false, false, true},
      {"?file[]=z.yml", false, true, true},
      {"?rule_group[]=g&rule_group[]=none", true, false, false},
      {"?rule_name[]=B", false, true, false},
      {"?match[]=%7Bseverity=%22page%22%7D", false, true, false},
      {"?match[]=%7Bseverity=%22page%22%7D&match[]=%7Bseverity=%22warn%22%7D", true, true, false},
      {"?rule_name[]=none", false, false, false},
  };
  for (const auto& c : cases) {
    const std::string body = Get(std::string("/api/v1/rules") + c.query);
    EXPECT_EQ(c.a, body.find(R"("name":"A")") != std::string::npos) << c.query;
    EXPECT_EQ(c.b, body.find(R"("name":"B")") != std::string::npos) << c.query;
    EXPECT_EQ(c.r, body.find(R"("name":"r")") != std::string::npos) << c.query;
  }
  EXPECT_THAT(Get("/prometheus/api/v1/rules?rule_name=B&file=z.yml"), Not(HasSubstr(R"("name":"A")")));
}

TEST_F(RulesApiTest, PagesThroughGroups) {
  std::vector<RuleGroup> groups;
  for (const char* name : {"a", "b", "c"}) groups.push_back(Group(name, {Recording("r", "up")}));
  groups[1].rules = {Alerting("A", "up")};
  fixture_.SetGroups(groups);
  std::string seen, token;
  for (int page = 0; page < 5; ++page) {
    const std::string body = Get("/api/v1/rules?group_limit=1" + (token.empty() ? "" : "&group_next_token=" + token));
    const size_t name = body.find(R"({"name":")") + 9;
    seen += body[name];
    const size_t next = body.find(R"("groupNextToken":")");
    if (next == std::string::npos) break;
    token = body.substr(next + 18, body.find('"', next + 18) - next - 18);
  }
  EXPECT_EQ("abc", seen);
  // No token after the last group that a filter takes.
  EXPECT_THAT(Get("/api/v1/rules?group_limit=1&type=alert"), Not(HasSubstr("groupNextToken")));
  EXPECT_THAT(Get("/api/v1/rules?group_limit=1&group_next_token=zz"),
              HasSubstr("invalid group_next_token 'zz'. were rule groups changed?"));
}

TEST_F(RulesApiTest, RefusesWhatItDoesNotKnow) {
  const struct {
    const char* query;
    const char* error;
  } cases[] = {
      {"type=zz", R"(invalid parameter \"type\": not supported value \"zz\")"},
      {"exclude_alerts=perhaps", R"(error converting exclude_alerts: strconv.ParseBool: parsing \"perhaps\": invalid syntax)"},
      {"group_limit=0", "group_limit needs to be greater than 0"},
      {"group_limit=x", R"(group_limit needs to be a valid number: strconv.ParseInt: parsing \"x\": invalid syntax)"},
      {"group_next_token=x", "group_limit needs to be present in order to paginate over the groups"},
      {"match[]=%7B", "parse error"},
  };
  for (const auto& c : cases) {
    const HttpResponse response = CallHandler(router_, "GET", std::string("/api/v1/rules?") + c.query);
    EXPECT_EQ(400, response.status) << c.query;
    EXPECT_THAT(response.body, HasSubstr(c.error));
  }
  EXPECT_EQ(Get("/prometheus/api/v1/rules?type=zz"),
            R"({"status":"error","data":null,"errorType":"bad_data","error":"not supported value \"zz\""})");
}

TEST_F(RulesApiTest, KeepsTenantsApart) {
  context_.auth_enabled = true;
  fixture_.SetGroups({Group("g", {Recording("r", "up")})});
  EXPECT_EQ(CallHandler(router_, "GET", "/prometheus/api/v1/rules").status, 401);
  EXPECT_THAT(CallHandler(router_, "GET", "/api/v1/rules", "", {{"x-scope-orgid", "fake"}}).body, HasSubstr("\"g\""));
  EXPECT_THAT(CallHandler(router_, "GET", "/api/v1/rules", "", {{"x-scope-orgid", "b"}}).body, Not(HasSubstr("\"g\"")));
}

TEST_F(RulesApiTest, ListsAlarmsByStateAndRule) {
  Rule rule = Alerting("High", "m > 5");
  rule.alarm = AlarmSpec{.evaluation_periods = 2, .datapoints_to_alarm = 2, .treat_missing = TreatMissing::kIgnore};
  fixture_.SetGroups({Group("g", {rule})});
  fixture_.Write({{"__name__", "m"}, {"host", "a"}}, 0, 9);
  fixture_.EvaluateFromTo(0, 4);
  const std::string all = Get("/api/v1/alarms");
  EXPECT_THAT(all, HasSubstr(R"({"status":"success","data":{"alarms":[{"rule":"High","group":"g","file":"rules.yml","labels":{)"));
  EXPECT_THAT(all, HasSubstr(R"("state":"ALARM","reason":")"));
  EXPECT_THAT(all, HasSubstr(R"("evaluationPeriods":2,"datapointsToAlarm":2,"treatMissing":"ignore"})"));
  EXPECT_EQ(all, Get("/api/v1/alarms?state=OK&state=ALARM&rule=High"));
  EXPECT_EQ(R"({"status":"success","data":{"alarms":[]}})", Get("/prometheus/api/v1/alarms?state=OK"));
  EXPECT_EQ(R"({"status":"success","data":{"alarms":[]}})", Get("/api/v1/alarms?rule=Low"));
  EXPECT_EQ(400, CallHandler(router_, "GET", "/api/v1/alarms?state=FINE").status);
}

}  // namespace
}  // namespace varve
