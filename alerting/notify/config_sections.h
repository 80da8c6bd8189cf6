// The sections of an alertmanager.yml, read one by one; notify_config.cc puts them together.
//
// Threads: pure functions; errors go to the map's or node's file.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/notify/config_yaml.h"
#include "alerting/notify/notify_config.h"

namespace varve {

// What `global` says, with its defaults, for receivers that leave it open.
struct NotifyGlobals {
  int64_t resolve_timeout_ms = 300'000;
  HttpClientConfig http;
  EmailConfig email;  // what smtp_* set
  Secret slack_api_url, slack_app_token;
  std::string slack_app_url = "https://slack.com/api/chat.postMessage";
  std::string pagerduty_url = "https://events.pagerduty.com/v2/enqueue";
};

// `node` may be null.
NotifyGlobals ReadGlobals(YamlFile* file, const YamlNode& node, std::string_view base_dir);

void ReadReceivers(YamlMap* root, const NotifyGlobals& globals, std::string_view base_dir,
                   std::vector<ReceiverConfig>* out);
void ReadEmailConfig(YamlMap* map, const NotifyGlobals& globals, std::string_view base_dir, EmailConfig* out);
void ReadSlackConfig(YamlMap* map, const NotifyGlobals& globals, std::string_view base_dir, SlackConfig* out);
void ReadWebhookConfig(YamlMap* map, const NotifyGlobals& globals, std::string_view base_dir, WebhookConfig* out);
void ReadPagerdutyConfig(YamlMap* map, const NotifyGlobals& globals, std::string_view base_dir, PagerdutyConfig* out);

// The route tree; receivers and intervals are checked against what there is.
struct RouteNames {
  std::set<std::string> receivers, intervals;
};
void ReadRoutes(YamlMap* root, const RouteNames& names, RouteConfig* out);
void ReadInhibitRules(YamlMap* root, std::vector<InhibitRule>* out);
// `time_intervals` and `mute_time_intervals`.
void ReadTimeIntervals(YamlMap* root, std::vector<NamedTimeInterval>* out);

// `key` and `key`_file, of which at most one may be there. `of_url`: the text must be an http(s) URL.
enum class SecretKind { kText, kUrl };
void ReadSecret(YamlMap* map, std::string_view key, std::string_view base_dir, SecretKind kind, Secret* out);
// `key`, an http(s) URL.
void ReadUrl(YamlMap* map, std::string_view key, std::string* out);

// The configuration as YAML, secrets replaced by <secret>; aliases and merge keys are expanded.
std::string RedactedYaml(const YamlNode& root);

}  // namespace varve
