#include "http/alertmanager_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alerting/notify/notifier.h"
#include "handler_call.h"
#include "tests/support/memory_record_store.h"
#include "tests/unit/alerting/rules/ruler_fixture.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using testing::CallHandler;
using testing::ManualClock;

constexpr int64_t kNowMs = 1'790'000'000'000;  // 2026-09-21T14:13:20Z
constexpr char kUnknownId[] = "00000000-0000-4000-8000-000000000000";

class AlertmanagerApiTest : public ::testing::Test {
 protected:
  AlertmanagerApiTest() : notifier_(&records_, &clock_, {}) {
    clock_.now_ms = kNowMs;
    EXPECT_TRUE(notifier_.Load().ok());
    api_ = std::make_unique<AlertmanagerApi>(AlertmanagerContext{.notifier = &notifier_, .clock = &clock_});
    api_->AddRoutes(&router_);
  }
  HttpResponse Get(const std::string& path) { return CallHandler(router_, "GET", "/api/v2" + path); }
  HttpResponse Post(const std::string& path, const std::string& body) {
    return CallHandler(router_, "POST", "/api/v2" + path, body, {{"content-type", "application/json"}});
  }
  std::string AddSilence() {
    const HttpResponse made = Post(
        "/silences",
        R"({"matchers":[{"name":"alertname","value":"A","isRegex":false},{"name":"x","value":"a|b","isRegex":true,"isEqual":false}],)"
        R"("startsAt":"2026-09-21T14:13:20Z","endsAt":"2026-09-21T15:13:20.5Z","createdBy":"me","comment":"why"})");
    EXPECT_EQ(200, made.status) << made.body;
    return made.body.substr(14, 36);
  }

  ManualClock clock_;
  MemoryRecordStore records_;
  Notifier notifier_;
  std::unique_ptr<AlertmanagerApi> api_;
  Router router_;
};

TEST_F(AlertmanagerApiTest, TellsItsStatus) {
  const HttpResponse status = Get("/status");
  EXPECT_EQ("application/json", status.content_type);
  EXPECT_THAT(status.body, HasSubstr(R"({"cluster":{"name":"","peers":[],"status":"disabled"},"config":{"original":"route:\n)"));
  EXPECT_THAT(status.body, HasSubstr(R"("uptime":"2026-09-21T14:13:20.000Z","versionInfo":{"branch":"")"));
}

TEST_F(AlertmanagerApiTest, TakesAlertsAndShowsThem) {
  const HttpResponse taken = Post(
      "/alerts", R"([{"labels":{"alertname":"A","x":"","y":"1"},"annotations":{"s":"t"},"startsAt":"2026-09-21T14:00:00.25Z",)"
                 R"("endsAt":"2026-09-21T15:00:00+00:00","generatorURL":"http://p/g"},{"labels":{"alertname":"B"}}])");
  EXPECT_EQ(200, taken.status) << taken.body;
  EXPECT_EQ("", taken.body);
  const std::string a = Get("/alerts?filter=alertname%3D%22A%22").body;
  EXPECT_THAT(a, HasSubstr(R"([{"annotations":{"s":"t"},"endsAt":"2026-09-21T15:00:00.000Z","fingerprint":")"));
  EXPECT_THAT(a, HasSubstr(R"("startsAt":"2026-09-21T14:00:00.250Z","status":{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"state":")"));
  EXPECT_THAT(a, HasSubstr(R"("generatorURL":"http://p/g","labels":{"alertname":"A","y":"1"}}])"));
  EXPECT_THAT(Get("/alerts").body, HasSubstr(R"("labels":{"alertname":"B"}})"));
  EXPECT_EQ("[]\n", Get("/alerts?filter=alertname%3D%22C%22").body);
}

TEST_F(AlertmanagerApiTest, TakesTheGoodAlertsAndNamesTheBad) {
  const HttpResponse mixed = Post(
      "/alerts", R"([{"labels":{}},{"labels":{"alertname":"A"}},{"labels":{"alertname":"B"},"startsAt":"2026-09-21T15:00:00Z",)"
                 R"("endsAt":"2026-09-21T14:00:00Z"}])");
  EXPECT_EQ(400, mixed.status);
  EXPECT_EQ("\"at least one label pair required\\nstart time must be before end time\"\n", mixed.body);
  EXPECT_THAT(Get("/alerts").body, HasSubstr(R"("labels":{"alertname":"A"}})"));
  for (const char* body : {"", "{}", "[1]", R"([{"labels":{"a":1}}])", R"([{"labels":[]}])", R"([{"labels":{"a":"b"},"startsAt":"now"}])"}) {
    const HttpResponse bad = Post("/alerts", body);
    EXPECT_EQ(400, bad.status) << body;
    EXPECT_THAT(bad.body, HasSubstr(R"({"code":400,"message":")"));
  }
}

TEST_F(AlertmanagerApiTest, WantsJson) {
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded"}) {
    EXPECT_EQ(415, CallHandler(router_, "POST", "/api/v2/alerts", "[]", {{"content-type", type}}).status);
  }
  EXPECT_EQ(200, CallHandler(router_, "POST", "/api/v2/alerts", "[]", {{"content-type", "Application/JSON; charset=utf-8"}}).status);
}

TEST_F(AlertmanagerApiTest, MakesShowsAndEndsSilences) {
  const std::string id = AddSilence();
  const std::string one = Get("/silence/" + id).body;
  EXPECT_EQ(R"({"id":")" + id +
                R"(","status":{"state":"active"},"updatedAt":"2026-09-21T14:13:20.000Z","comment":"why","createdBy":"me",)"
                R"("endsAt":"2026-09-21T15:13:20.500Z","matchers":[{"isEqual":true,"isRegex":false,"name":"alertname","value":"A"},)"
                R"({"isEqual":false,"isRegex":true,"name":"x","value":"a|b"}],"startsAt":"2026-09-21T14:13:20.000Z"})" "\n",
            one);
  EXPECT_EQ("[" + one.substr(0, one.size() - 1) + "]\n", Get("/silences").body);
  EXPECT_EQ("[]\n", Get("/silences?filter=alertname%3D%22B%22").body);
  EXPECT_EQ("[]\n", Get("/silences?active=false").body);
  EXPECT_EQ(200, CallHandler(router_, "DELETE", "/api/v2/silence/" + id).status);
  EXPECT_THAT(Get("/silence/" + id).body, HasSubstr(R"("status":{"state":"expired"})"));
  EXPECT_EQ("[]\n", Get("/silences?expired=false").body);
}

TEST_F(AlertmanagerApiTest, SilencesAlerts) {
  ASSERT_EQ(200, Post("/alerts", R"([{"labels":{"alertname":"A"}}])").status);
  const std::string id = AddSilence();
  EXPECT_THAT(Get("/alerts").body, HasSubstr(R"("silencedBy":[")" + id + R"("],"state":"suppressed")"));
  EXPECT_EQ("[]\n", Get("/alerts?silenced=false").body);
}

TEST_F(AlertmanagerApiTest, SaysWhatIsWrongWithSilences) {
  const struct {
    const char* body;
    int status;
    const char* error;
  } cases[] = {
      {"[]", 422, R"("code":602)"},
      {R"({"matchers":[],"startsAt":"","endsAt":"","createdBy":"a","comment":"b"})", 422, "at least 1 items"},
      {R"({"matchers":[{"name":"a","value":"b","isRegex":false}],"startsAt":"2026-09-21T14:13:20Z","endsAt":"2026-09-21T14:13:20Z","createdBy":"a","comment":"b"})",
       400, "start time must be before end time"},
      {R"({"matchers":[{"name":"a","value":"b","isRegex":false}],"startsAt":"2026-09-20T14:13:20Z","endsAt":"2026-09-21T14:13:00Z","createdBy":"a","comment":"b"})",
       400, "end time can't be in the past"},
      {R"({"matchers":[{"name":"a","value":"(","isRegex":true}],"startsAt":"2026-09-20T14:13:20Z","endsAt":"2026-09-22T14:13:00Z","createdBy":"a","comment":"b"})",
       422, "code"},
      {R"({"startsAt":"2026-09-20T14:13:20Z","endsAt":"2026-09-22T14:13:00Z","createdBy":"a","comment":"b"})", 422,
       "matchers in body is required"},
  };
  for (const auto& c : cases) {
    const HttpResponse response = Post("/silences", c.body);
    EXPECT_EQ(c.status, response.status) << c.body << response.body;
    EXPECT_THAT(response.body, HasSubstr(c.error));
  }
  EXPECT_EQ(404, Get(std::string("/silence/") + kUnknownId).status);
  EXPECT_EQ(404, CallHandler(router_, "DELETE", std::string("/api/v2/silence/") + kUnknownId).status);
  EXPECT_THAT(Get("/silence/x").body, HasSubstr(R"(silenceID in path must be of type uuid: \"x\")"));
}

TEST_F(AlertmanagerApiTest, RefusesBadFilters) {
  EXPECT_EQ(400, Get("/alerts?filter=%3D%3D").status);
  EXPECT_EQ(400, Get("/silences?filter=a").status);
  const HttpResponse receiver = Get("/alerts/groups?receiver=(");
  EXPECT_EQ(400, receiver.status);
  EXPECT_THAT(receiver.body, HasSubstr("failed to parse receiver param"));
}

}  // namespace
}  // namespace varve
