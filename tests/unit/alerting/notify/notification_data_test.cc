#include "alerting/notify/notification_data.h"

#include <gtest/gtest.h>

#include <string>

#include "alerting/notify/default_templates.h"

namespace varve {
namespace {

Notification TwoAlerts() {
  Notification out;
  out.receiver = "ops.team";
  out.group_key = "{}:{alertname=\"Disk\"}";
  out.group_labels = {{"alertname", "Disk"}};
  out.external_url = "http://varve";
  out.now_ms = 1'800'000'000'000;
  PostedAlert firing, resolved;
  firing.labels = {{"alertname", "Disk"}, {"instance", "a"}, {"severity", "page"}};
  firing.annotations = {{"summary", "<full>"}};
  firing.starts_at_ms = 1'799'999'000'250;
  firing.ends_at_ms = out.now_ms + 60'000;  // it holds until then
  firing.generator_url = "http://g/?a&b";
  resolved = firing;
  resolved.labels["instance"] = "b";
  resolved.ends_at_ms = out.now_ms - 500;
  out.alerts = {firing, resolved};
  out.fingerprints = {"00000000000000aa", "00000000000000bb"};
  return out;
}

TEST(GroupIdentityTest, TellsTenantsApart) {
  Notification notification = TwoAlerts();
  EXPECT_EQ("{}:{alertname=\"Disk\"}", GroupIdentity(notification));
  notification.tenant = "fake";
  EXPECT_EQ("{}:{alertname=\"Disk\"}", GroupIdentity(notification));
  notification.tenant = "team-a";
  EXPECT_EQ("team-a/{}:{alertname=\"Disk\"}", GroupIdentity(notification));
  EXPECT_NE(std::string::npos, WebhookJson(notification, 0).find(R"("groupKey":"team-a/{}:{alertname=\"Disk\"}")"));
}

TEST(JsonTimeTest, IsGos) {
  EXPECT_EQ("2026-11-20T19:08:57.25Z", JsonTime(1'795'201'737'250));
  EXPECT_EQ("2026-11-20T19:08:57Z", JsonTime(1'795'201'737'000));
  EXPECT_EQ("2026-11-20T19:08:57.007Z", JsonTime(1'795'201'737'007));
  EXPECT_EQ("1969-12-31T23:59:59.999Z", JsonTime(-1));
}

TEST(TruncatedInRunesTest, CountsCharactersAndSaysThatSomeAreGone) {
  EXPECT_EQ("größe", TruncatedInRunes("größe", 5));
  EXPECT_EQ("grö…", TruncatedInRunes("größe", 4));
  EXPECT_EQ("", TruncatedInRunes("", 4));
}

TEST(QuotedMetaTest, EscapesWhatARegularExpressionReads) {
  EXPECT_EQ(R"(a\.b\[c\]\$-_é)", QuotedMeta("a.b[c]$-_é"));
}

TEST(CommonPartsTest, AreWhatAllAlertsHaveAlike) {
  Notification two = TwoAlerts();
  CommonParts common = CommonPartsOf(two.alerts);
  EXPECT_EQ((LabelMap{{"alertname", "Disk"}, {"severity", "page"}}), common.labels);
  EXPECT_EQ((LabelMap{{"summary", "<full>"}}), common.annotations);
  two.alerts[1].annotations.clear();
  EXPECT_TRUE(CommonPartsOf(two.alerts).annotations.empty());
  EXPECT_TRUE(CommonPartsOf({}).labels.empty());
}

TEST(WebhookJsonTest, IsAlertmanagersByteForByte) {
  EXPECT_EQ(
      R"({"receiver":"ops\\.team","status":"firing","alerts":[)"
      R"({"status":"firing","labels":{"alertname":"Disk","instance":"a","severity":"page"},)"
      R"("annotations":{"summary":"\u003cfull\u003e"},"startsAt":"2027-01-15T07:43:20.25Z",)"
      R"("endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://g/?a\u0026b","fingerprint":"00000000000000aa"},)"
      R"({"status":"resolved","labels":{"alertname":"Disk","instance":"b","severity":"page"},)"
      R"("annotations":{"summary":"\u003cfull\u003e"},"startsAt":"2027-01-15T07:43:20.25Z",)"
      R"("endsAt":"2027-01-15T07:59:59.5Z","generatorURL":"http://g/?a\u0026b","fingerprint":"00000000000000bb"}],)"
      R"("groupLabels":{"alertname":"Disk"},"commonLabels":{"alertname":"Disk","severity":"page"},)"
      R"("commonAnnotations":{"summary":"\u003cfull\u003e"},"externalURL":"http://varve","version":"4",)"
      R"("groupKey":"{}:{alertname=\"Disk\"}","truncatedAlerts":0})"
      "\n",
      WebhookJson(TwoAlerts(), 0));
}

TEST(WebhookJsonTest, CountsWhatItLeavesOut) {
  const std::string json = WebhookJson(TwoAlerts(), 1);
  EXPECT_NE(std::string::npos, json.find("\"truncatedAlerts\":1}"));
  EXPECT_EQ(std::string::npos, json.find("00000000000000bb"));
  EXPECT_NE(std::string::npos, json.find("\"instance\":\"a\",\"severity\":\"page\"},\"commonAnnotations\""));
}

class DefaultTemplatesTest : public ::testing::Test {
 protected:
  std::string Text(const Notification& notification, const std::string& name) {
    auto set = LoadTemplates(NotifyConfig());
    EXPECT_TRUE(set.ok()) << set.status().message();
    MessageTemplates templates(set->get(), notification);
    std::string text = templates.Text("{{ template \"" + name + "\" . }}");
    EXPECT_TRUE(templates.status().ok()) << templates.status().message();
    return text;
  }
};

TEST_F(DefaultTemplatesTest, ReadAsAlertmanagers) {
  Notification two = TwoAlerts();
  EXPECT_EQ("[FIRING:1] Disk (page)", Text(two, "__subject"));
  EXPECT_EQ("danger", Text(two, "slack.default.color"));
  EXPECT_EQ("http://varve/#/alerts?receiver=ops%5C.team", Text(two, "slack.default.titlelink"));
  EXPECT_EQ("[FIRING:1] Disk (page) | http://varve/#/alerts?receiver=ops%5C.team", Text(two, "slack.default.fallback"));
  two.alerts[0].ends_at_ms = two.now_ms - 1;
  EXPECT_EQ("[RESOLVED] Disk (page)", Text(two, "email.default.subject"));
  EXPECT_EQ("good", Text(two, "slack.default.color"));
  two.group_labels = {};
  EXPECT_EQ("[RESOLVED]  (Disk page)", Text(two, "pagerduty.default.description"));
  two.group_labels = two.alerts[0].labels;
  two.alerts.pop_back();
  EXPECT_EQ("[RESOLVED] Disk a page ", Text(two, "__subject"));
}

TEST_F(DefaultTemplatesTest, EscapeWhatAlertsSayInMails) {
  auto set = LoadTemplates(NotifyConfig());
  ASSERT_TRUE(set.ok());
  Notification two = TwoAlerts();
  two.alerts[0].generator_url = "javascript:alert(1)";
  MessageTemplates templates(set->get(), two);
  const std::string html = templates.Html("{{ template \"email.default.html\" . }}");
  ASSERT_TRUE(templates.status().ok()) << templates.status().message();
  EXPECT_NE(std::string::npos, html.find("summary = &lt;full&gt;"));
  EXPECT_EQ(std::string::npos, html.find("<full>"));
  EXPECT_EQ(std::string::npos, html.find("javascript:"));
}

TEST_F(DefaultTemplatesTest, ABadTemplateIsRefusedWithItsReceiverAndKey) {
  NotifyConfig config;
  config.receivers.emplace_back().name = "ops";
  config.receivers[0].where = "am.yml:5";
  config.receivers[0].slacks.emplace_back().title = "{{ .Status";
  const auto set = LoadTemplates(config);
  ASSERT_FALSE(set.ok());
  EXPECT_EQ(0U, set.status().message().find("am.yml:5: receiver \"ops\": slack_configs[0]: title: ")) << set.status().message();
}

TEST(MessageTemplatesTest, TheFirstErrorStays) {
  templates::TemplateSet set(templates::FunctionSet::kAlertmanager);
  MessageTemplates templates(&set, TwoAlerts());
  EXPECT_EQ("Disk", templates.Text("{{ .GroupLabels.alertname }}"));
  EXPECT_EQ("", templates.Text("{{ .NoSuchField }}"));
  EXPECT_FALSE(templates.status().ok());
  EXPECT_EQ("", templates.Text("{{ .Status }}"));
}

}  // namespace
}  // namespace varve
