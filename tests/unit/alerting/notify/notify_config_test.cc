#include "alerting/notify/notify_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

NotifyConfig Parse(const std::string& yaml) {
  auto config = ParseNotifyConfig(yaml, "am.yml", "/etc/am");
  EXPECT_TRUE(config.ok()) << config.status().message();
  return config.ok() ? std::move(*config) : NotifyConfig();
}

std::string ErrorOf(const std::string& yaml) {
  const auto config = ParseNotifyConfig(yaml, "am.yml", "/etc/am");
  return config.ok() ? "none" : config.status().message();
}

// The receiver `ops` with this below its name.
std::string With(const std::string& receiver, const std::string& top = "") {
  return top + "\nroute: {receiver: ops}\nreceivers:\n- name: ops\n" + receiver + "\n";
}

std::vector<std::string> Texts(const std::vector<Matcher>& matchers) {
  std::vector<std::string> out;
  for (const Matcher& matcher : matchers) out.push_back(matcher.ToString());
  return out;
}

TEST(NotifyConfigTest, ARouteHandsDownWhatItsChildrenDoNotSay) {
  const NotifyConfig config = Parse(R"(
route:
  receiver: a
  group_by: [alertname, job]
  group_wait: 10s
  routes:
  - matchers: [severity="page", 'team=~"x|y"']
    match: {job: node}
    match_re: {instance: 'h.*'}
    receiver: b
    repeat_interval: 1h
    continue: true
    routes:
    - {group_by: ['...'], mute_time_intervals: [night]}
    - {group_by: []}
  - active_time_intervals: [night]
receivers: [{name: a}, {name: b}]
time_intervals: [{name: night, time_intervals: [{times: [{start_time: '22:00', end_time: '24:00'}]}]}]
)");
  const RouteConfig& root = config.route;
  EXPECT_EQ("a", root.receiver);
  EXPECT_EQ(10'000, root.group_wait_ms);
  EXPECT_EQ(300'000, root.group_interval_ms);
  EXPECT_EQ(4 * 3'600'000, root.repeat_interval_ms);
  ASSERT_EQ(2U, root.routes.size());
  const RouteConfig& page = root.routes[0];
  EXPECT_EQ("b", page.receiver);
  EXPECT_TRUE(page.continues);
  EXPECT_EQ(3'600'000, page.repeat_interval_ms);
  EXPECT_EQ(10'000, page.group_wait_ms);
  EXPECT_THAT(page.group_by, ElementsAre("alertname", "job"));
  EXPECT_THAT(Texts(page.matchers),
              ElementsAre("instance=~\"^(?:h.*)$\"", "job=\"node\"", "severity=\"page\"", "team=~\"x|y\""));
  ASSERT_EQ(2U, page.routes.size());
  EXPECT_TRUE(page.routes[0].group_by_all);
  EXPECT_EQ("b", page.routes[0].receiver);
  EXPECT_EQ(3'600'000, page.routes[0].repeat_interval_ms);
  EXPECT_THAT(page.routes[0].mute_time_intervals, ElementsAre("night"));
  EXPECT_FALSE(page.routes[0].continues);
  EXPECT_FALSE(page.routes[1].group_by_all);
  EXPECT_TRUE(page.routes[1].group_by.empty());
  EXPECT_EQ("a", root.routes[1].receiver);
  EXPECT_TRUE(page.routes[1].mute_time_intervals.empty());
}

TEST(NotifyConfigTest, MailTakesFromGlobalWhatItLeavesOpen) {
  const NotifyConfig config = Parse(With(R"(  email_configs:
  - to: a@b
  - {to: c@d, from: own@x, smarthost: 'own:465', require_tls: true, auth_password_file: pw, html: '', text: t,
     tls_config: {insecure_skip_verify: true}, headers: {subject: s}, send_resolved: true, force_implicit_tls: false})",
                                         R"(global:
  smtp_from: varve@x
  smtp_smarthost: mail:587
  smtp_auth_username: me
  smtp_auth_password: geheim
  smtp_require_tls: false
  smtp_hello: varve.x
  smtp_tls_config: {ca_file: ca.pem, server_name: mail.x})"));
  ASSERT_EQ(1U, config.receivers.size());
  ASSERT_EQ(2U, config.receivers[0].emails.size());
  const EmailConfig& first = config.receivers[0].emails[0];
  EXPECT_EQ("varve@x", first.from);
  EXPECT_EQ("mail:587", first.smarthost);
  EXPECT_EQ("varve.x", first.hello);
  EXPECT_EQ("geheim", *first.auth_password.Read());
  EXPECT_FALSE(first.require_tls);
  EXPECT_FALSE(first.send_resolved);
  EXPECT_FALSE(first.implicit_tls.has_value());
  EXPECT_EQ("/etc/am/ca.pem", first.tls.ca_file);
  EXPECT_EQ("{{ template \"email.default.html\" . }}", first.html);
  EXPECT_EQ("", first.text);
  const EmailConfig& own = config.receivers[0].emails[1];
  EXPECT_EQ("own@x", own.from);
  EXPECT_EQ("own:465", own.smarthost);
  EXPECT_EQ("me", own.auth_username);
  EXPECT_EQ("", own.auth_password.text);
  EXPECT_EQ("/etc/am/pw", own.auth_password.file);
  EXPECT_TRUE(own.require_tls);
  EXPECT_EQ(false, own.implicit_tls);
  EXPECT_EQ("", own.tls.ca_file);  // its own tls_config stands for the whole
  EXPECT_TRUE(own.tls.insecure_skip_verify);
  EXPECT_EQ("", own.html);
  EXPECT_EQ("s", own.headers.at("Subject"));
}

TEST(NotifyConfigTest, OthersTakeTheHttpSettingsAndTheirDefaults) {
  const NotifyConfig config = Parse(With(R"(  slack_configs:
  - {channel: '#a'}
  - {api_url: 'https://own/x', title: t, http_config: {follow_redirects: false}}
  webhook_configs:
  - {url: 'http://h/{{ .Receiver }}', timeout: 1m30s, max_alerts: 3}
  pagerduty_configs:
  - {routing_key_file: key, details: {firing: own, more: '{{ .Status }}'}, class: c})",
                                         R"(global:
  slack_api_url: https://slack/x
  http_config: {basic_auth: {username: u, password: p}, proxy_url: 'http://proxy:8080'})"));
  const ReceiverConfig& ops = config.receivers[0];
  ASSERT_EQ(2U, ops.slacks.size());
  EXPECT_EQ("https://slack/x", ops.slacks[0].api_url.text);
  EXPECT_EQ("u", ops.slacks[0].http.basic_auth_username);
  EXPECT_EQ("{{ template \"slack.default.title\" . }}", ops.slacks[0].title);
  EXPECT_EQ("https://own/x", ops.slacks[1].api_url.text);
  EXPECT_EQ("t", ops.slacks[1].title);
  EXPECT_EQ("", ops.slacks[1].http.basic_auth_username);
  EXPECT_FALSE(ops.slacks[1].http.follow_redirects);
  ASSERT_EQ(1U, ops.webhooks.size());
  EXPECT_EQ(90'000, ops.webhooks[0].timeout_ms);
  EXPECT_EQ(3U, ops.webhooks[0].max_alerts);
  EXPECT_TRUE(ops.webhooks[0].send_resolved);
  EXPECT_EQ("http://proxy:8080", ops.webhooks[0].http.proxy_url);
  ASSERT_EQ(1U, ops.pagerduties.size());
  EXPECT_EQ("/etc/am/key", ops.pagerduties[0].routing_key.file);
  EXPECT_EQ("https://events.pagerduty.com/v2/enqueue", ops.pagerduties[0].url);
  EXPECT_EQ("own", ops.pagerduties[0].details.at("firing"));
  EXPECT_EQ("{{ .Alerts.Resolved | len }}", ops.pagerduties[0].details.at("num_resolved"));
  EXPECT_EQ(5U, ops.pagerduties[0].details.size());
  EXPECT_EQ(ops.pagerduties[0].client, ops.pagerduties[0].source);
  EXPECT_EQ("error", ops.pagerduties[0].severity);
}

TEST(NotifyConfigTest, IntervalsOfTimeAreRanges) {
  const NotifyConfig config = Parse(With("", R"(time_intervals:
- name: work
  time_intervals:
  - times: [{start_time: '09:00', end_time: '17:30'}]
    weekdays: ['monday:friday', Sunday]
    days_of_month: ['1:5', '-3:-1']
    months: ['january:march', '12']
    years: ['2026:2027']
    location: Asia/Seoul
mute_time_intervals: [{name: old, time_intervals: [{}]}])"));
  ASSERT_EQ(2U, config.time_intervals.size());
  const NamedTimeInterval& work = config.time_intervals[1];
  EXPECT_EQ("work", work.name);
  ASSERT_EQ(1U, work.intervals.size());
  const TimeInterval& interval = work.intervals[0];
  EXPECT_EQ(540, interval.minutes[0].begin);
  EXPECT_EQ(1'050, interval.minutes[0].end);
  EXPECT_EQ(1, interval.weekdays[0].begin);
  EXPECT_EQ(5, interval.weekdays[0].end);
  EXPECT_EQ(0, interval.weekdays[1].begin);
  EXPECT_EQ(-3, interval.days_of_month[1].begin);
  EXPECT_EQ(12, interval.months[1].end);
  EXPECT_EQ(2'027, interval.years[0].end);
  EXPECT_EQ("Asia/Seoul", interval.location);
  EXPECT_EQ("UTC", config.time_intervals[0].intervals[0].location);
}

TEST(NotifyConfigTest, ErrorsNameFileLineAndReceiver) {
  EXPECT_EQ("am.yml:6: receiver \"ops\": slack_configs[0]: unknown key \"chanel\"",
            ErrorOf(With("  slack_configs:\n  - {api_url: 'http://x', chanel: a}", "global: {}")));
  EXPECT_THAT(ErrorOf(With("  opsgenie_configs: [{}]")),
              HasSubstr("am.yml:5: receiver \"ops\": opsgenie_configs: this kind of receiver is not built in"));
  EXPECT_THAT(ErrorOf(With("  pagerduty_configs: [{service_key: x}]")), HasSubstr("routing_key (v2)"));
  EXPECT_THAT(ErrorOf("route: {receiver: a}\nreceivers: [{name: a}\n"), HasSubstr("am.yml:3: "));
  EXPECT_THAT(ErrorOf(""), HasSubstr("no route provided"));
  // All of a file's mistakes at once.
  EXPECT_EQ(
      "am.yml:3: receivers: notification config name \"a\" is not unique\n"
      "am.yml:1: route: group_wait: \"soon\" is not a duration such as 30s or 1h30m\n"
      "am.yml:4: unknown key \"what\"",
      ErrorOf("route: {receiver: a, group_wait: soon}\nreceivers: [{name: a},\n {name: a}]\nwhat: 1\n"));
}

TEST(NotifyConfigTest, ErrorsAreLimitedAndDeepRoutesToo) {
  std::string many = "route: {receiver: a}\nreceivers: [{name: a}]\n";
  for (int i = 0; i < 100; ++i) many += "k" + std::to_string(i) + ": 1\n";
  const std::string errors = ErrorOf(many);
  EXPECT_EQ(19, std::count(errors.begin(), errors.end(), '\n'));
  std::string deep;
  for (int i = 0; i < 1'000; ++i) deep += "{routes: [";
  EXPECT_THAT(ErrorOf("receivers: [{name: a}]\nroute: " + deep), HasSubstr("am.yml:2: "));
}

TEST(NotifyConfigTest, AnchorsAndMergeKeysWork) {
  const NotifyConfig config = Parse(R"(
route: {receiver: a}
receivers:
- name: a
  webhook_configs:
  - &hook {url: 'http://x/1', max_alerts: 7, http_config: &http {follow_redirects: false}}
  - {<<: *hook, url: 'http://x/2'}
)");
  ASSERT_EQ(2U, config.receivers[0].webhooks.size());
  EXPECT_EQ("http://x/2", config.receivers[0].webhooks[1].url.text);
  EXPECT_EQ(7U, config.receivers[0].webhooks[1].max_alerts);
  EXPECT_FALSE(config.receivers[0].webhooks[1].http.follow_redirects);
}

TEST(NotifyConfigTest, WhatIsShownOfItHoldsNoSecret) {
  const NotifyConfig config = Parse(With(R"(  email_configs: [{to: a@b, auth_password: S3CRET, auth_secret: S3CRET}]
  slack_configs:
  - {api_url: 'https://hooks/S3CRET', actions: [{type: button, text: t, url: 'http://shown'}]}
  webhook_configs:
  - url: 'http://u:S3CRET@x/S3CRET'
    http_config: {authorization: {credentials: S3CRET}, http_headers: {X: {secrets: [S3CRET, S3CRET]}}}
  - {url: 'http://x', http_config: {basic_auth: {username: shown, password: S3CRET}, proxy_url: 'http://u:S3CRET@p'}}
  - {url: 'http://x', http_config: {bearer_token: S3CRET}}
  pagerduty_configs: [{routing_key: S3CRET, url: 'http://shown/too'}])",
                                         R"(global: {smtp_auth_password: S3CRET, smtp_from: f@g, smtp_smarthost: 'h:25',
  opsgenie_api_key: S3CRET, slack_app_url: 'http://shown.app'})"));
  EXPECT_THAT(config.original, Not(HasSubstr("S3CRET")));
  for (const char* shown : {"http://shown", "http://shown/too", "http://shown.app", "f@g", "username: shown", "<secret>"}) {
    EXPECT_THAT(config.original, HasSubstr(shown));
  }
}

TEST(NotifyConfigTest, TemplatesAreWhatTheirPatternsMatch) {
  const std::string dir = ::testing::TempDir() + "varve_templates";
  std::filesystem::create_directories(dir);
  for (const char* name : {"b.tmpl", "a.tmpl", "c.txt"}) std::ofstream(dir + "/" + name) << "x";
  std::ofstream(dir + "/am.yml") << "route: {receiver: a}\nreceivers: [{name: a}]\ntemplates: ['*.tmpl', 'a.*', 'none*']\n";
  const auto config = ReadNotifyConfig(dir + "/am.yml");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_THAT(config->template_files, ElementsAre(dir + "/a.tmpl", dir + "/b.tmpl"));
  std::ofstream(dir + "/am.yml") << "route: {receiver: a}\nreceivers: [{name: a}]\ntemplates:\n- missing.tmpl\n";
  EXPECT_THAT(ReadNotifyConfig(dir + "/am.yml").status().message(), HasSubstr("am.yml:3: templates: cannot read"));
  EXPECT_EQ(Code::kIoError, ReadNotifyConfig(dir + "/nothing.yml").status().code());
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace varve
