#include "alerting/notify/external_alertmanagers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "alerting/notify/alertmanager_queue.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ParseAlertmanagersTest, ReadsPrometheusSection) {
  const auto targets = ParseAlertmanagers(R"(
alertmanagers:
- scheme: https
  path_prefix: am/
  timeout: 5s
  api_version: v2
  basic_auth: {username: me, password_file: pw}
  tls_config: {ca_file: ca.pem}
  static_configs:
  - targets: ['a:9093', 'b:9093']
    labels: {x: y}
- static_configs: [{targets: [c]}]
)",
                                          "/etc/varve/varve.yaml");
  ASSERT_TRUE(targets.ok()) << targets.status().message();
  ASSERT_EQ(3U, targets->size());
  EXPECT_EQ("https://a:9093/am", (*targets)[0].url);
  EXPECT_EQ("https://b:9093/am", (*targets)[1].url);
  EXPECT_EQ(5'000, (*targets)[1].timeout_ms);
  EXPECT_EQ("/etc/varve/pw", (*targets)[1].http.basic_auth_password_file);
  EXPECT_EQ("/etc/varve/ca.pem", (*targets)[0].http.tls.ca_file);
  EXPECT_EQ("http://c", (*targets)[2].url);
  EXPECT_EQ(10'000, (*targets)[2].timeout_ms);
  EXPECT_TRUE((*targets)[2].http.basic_auth_username.empty());
  EXPECT_TRUE(ParseAlertmanagers("", "x")->empty());
}

TEST(ParseAlertmanagersTest, NamesWhatIsWrongWithItsLine) {
  const auto error = [](std::string_view yaml) {
    const auto targets = ParseAlertmanagers(yaml, "varve.yaml", 41);
    return targets.ok() ? "none" : targets.status().message();
  };
  EXPECT_EQ("varve.yaml:42: alertmanagers[0]: dns_sd_configs: is not supported; name the Alertmanagers in static_configs",
            error("alertmanagers:\n- dns_sd_configs: [{names: [x]}]"));
  EXPECT_THAT(error("alert_relabel_configs: [{}]"), HasSubstr("varve.yaml:41: alerting: alert_relabel_configs"));
  EXPECT_THAT(error("alertmanagers: [{scheme: ftp}]"), HasSubstr("scheme: must be http or https"));
  EXPECT_THAT(error("alertmanagers: [{api_version: v1}]"), HasSubstr("only v2"));
  EXPECT_THAT(error("alertmanagers: [{what: 1}]"), HasSubstr("unknown key \"what\""));
  EXPECT_THAT(error("alertmanagers: [{static_configs: [{targets: ['http://a']}]}]"), HasSubstr("is not host:port"));
  EXPECT_THAT(error("alertmanagers: [{timeout: 0s}]"), HasSubstr("timeout: must be more than 0"));
}

TEST(ParseAlertmanagerUrlsTest, KeepsPasswordsOutOfUrls) {
  const auto targets = ParseAlertmanagerUrls("http://a:9093/, https://me:ge%20heim@b/prefix/ ,");
  ASSERT_TRUE(targets.ok()) << targets.status().message();
  ASSERT_EQ(2U, targets->size());
  EXPECT_EQ("http://a:9093", (*targets)[0].url);
  EXPECT_EQ("https://b/prefix", (*targets)[1].url);
  EXPECT_EQ("me", (*targets)[1].http.basic_auth_username);
  EXPECT_EQ("ge heim", (*targets)[1].http.basic_auth_password);
  const auto bad = ParseAlertmanagerUrls("ftp://me:geheim@b");
  ASSERT_FALSE(bad.ok());
  EXPECT_THAT(bad.status().message(), Not(HasSubstr("geheim")));
}

TEST(AlertsJsonTest, LeavesOutTimesThatAreNotSaid) {
  PostedAlert alert;
  alert.labels = {{"alertname", "A"}};
  EXPECT_EQ(R"([{"annotations":{},"labels":{"alertname":"A"}}])", AlertsJson({{"fake", alert}}));
  alert.annotations = {{"s", "<"}};
  alert.starts_at_ms = 1'000;
  alert.ends_at_ms = 2'500;
  alert.generator_url = "http://g";
  EXPECT_EQ(R"([{"annotations":{"s":"\u003c"},"endsAt":"1970-01-01T00:00:02.5Z","startsAt":"1970-01-01T00:00:01Z",)"
            R"("generatorURL":"http://g","labels":{"alertname":"A"}}])",
            AlertsJson({{"fake", alert}}));
}

// Nobody listens at port 1, so that everything stays in the queue.
std::vector<AlertmanagerTarget> Nobody() {
  AlertmanagerTarget target;
  target.url = "http://127.0.0.1:1";
  return {target};
}

TEST(ExternalAlertmanagersTest, TheOldestGiveWayAndAReloadKeepsTheRest) {
  ExternalAlertmanagers alertmanagers({.queue_max = 3});
  alertmanagers.Configure(Nobody());
  ASSERT_TRUE(alertmanagers.Post("fake", std::vector<PostedAlert>(5)).ok());
  alertmanagers.Configure(Nobody());
  alertmanagers.Stop(0);
  const auto stats = alertmanagers.Stats();
  ASSERT_EQ(1U, stats.size());
  EXPECT_EQ(3U, stats[0].queued);
  EXPECT_EQ(2U, stats[0].dropped);
  EXPECT_EQ(0U, stats[0].sent);
  EXPECT_EQ(Code::kUnavailable, alertmanagers.Post("fake", {}).code());
}

TEST(ExternalAlertmanagersTest, WithoutTargetsNothingIsKept) {
  ExternalAlertmanagers alertmanagers({});
  EXPECT_TRUE(alertmanagers.Post("fake", std::vector<PostedAlert>(5)).ok());
  alertmanagers.Stop();
  EXPECT_TRUE(alertmanagers.Stats().empty());
}

}  // namespace
}  // namespace varve
