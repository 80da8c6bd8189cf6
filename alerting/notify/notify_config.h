// An alertmanager.yml, read and checked. Plain data; keys, defaults and meanings are Alertmanager's.
//
// Where a receiver leaves a thing to `global`, reading the file has put it in. Files (*_file) hold secrets and are read
// when a message is sent, so that they can change.
// Errors: kInvalidArgument, a line each: "alertmanager.yml:14: receiver \"ops\": unknown key \"chanel\"". Kinds of receivers
// that are not built in (opsgenie, …) are refused by name.
// Threads: values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/label_map.h"
#include "alerting/outgoing/http_client.h"
#include "engine/base/status.h"
#include "engine/model/matcher.h"

namespace varve {

// Given as a text or as the path of a file that holds it; at most one of the two.
struct Secret {
  std::string text;
  std::string file;
  bool empty() const { return text.empty() && file.empty(); }
  // kIoError names the file. Blanks at the end are not part of it.
  Result<std::string> Read() const;
};

struct EmailConfig {
  bool send_resolved = false;
  std::string to;  // template
  std::string from;
  std::string smarthost;  // host:port
  std::string hello = "localhost";
  std::string auth_username, auth_identity;
  Secret auth_password, auth_secret;
  bool require_tls = true;
  std::optional<bool> implicit_tls;  // absent: by port 465
  TlsConfig tls;
  LabelMap headers;  // templates; Subject, From and To have defaults
  std::string html;  // templates
  std::string text;
  enum class Threading { kOff, kAlways, kDaily } threading = Threading::kOff;  // mails of a group refer to one another
};

struct SlackField {
  std::string title, value;
  std::optional<bool> is_short;
};
struct SlackAction {
  std::string type, text, url, style, name, value;
  struct Confirm {
    std::string text, title, ok_text, dismiss_text;
  };
  std::optional<Confirm> confirm;
};
struct SlackConfig {
  bool send_resolved = false;
  Secret api_url;
  Secret app_token;
  std::string app_url;
  HttpClientConfig http;
  std::string channel, username, color, title, title_link, pretext, text, footer, fallback, callback_id, icon_emoji,
      icon_url, image_url, thumb_url, message_text;  // templates
  bool link_names = false, short_fields = false;
  std::vector<std::string> mrkdwn_in;
  std::vector<SlackField> fields;
  std::vector<SlackAction> actions;
  int64_t timeout_ms = 0;  // 0: none of its own
};

struct WebhookConfig {
  bool send_resolved = true;
  Secret url;
  HttpClientConfig http;
  uint64_t max_alerts = 0;  // 0: all
  int64_t timeout_ms = 0;
};

struct PagerdutyConfig {
  bool send_resolved = true;
  Secret routing_key, service_key;  // one of them; service_key means the v1 API, which is refused by name
  std::string url;
  HttpClientConfig http;
  std::string client, client_url, description, severity, source, component, component_class, group;  // templates
  LabelMap details;                                                                                  // templates
  struct Link {
    std::string href, text;
  };
  struct Image {
    std::string src, alt, href;
  };
  std::vector<Link> links;
  std::vector<Image> images;
  int64_t timeout_ms = 0;
};

struct ReceiverConfig {
  std::string name;
  std::string where;  // file:line, for errors
  std::vector<EmailConfig> emails;
  std::vector<SlackConfig> slacks;
  std::vector<WebhookConfig> webhooks;
  std::vector<PagerdutyConfig> pagerduties;
};

struct RouteConfig {
  std::string receiver;
  std::vector<Matcher> matchers;  // of match, match_re and matchers
  bool group_by_all = false;      // group_by: ['...']
  std::vector<std::string> group_by;
  int64_t group_wait_ms = 30'000;
  int64_t group_interval_ms = 300'000;
  int64_t repeat_interval_ms = 4 * 3'600'000;
  std::vector<std::string> mute_time_intervals;
  std::vector<std::string> active_time_intervals;
  bool continues = false;  // `continue`
  std::vector<RouteConfig> routes;
  // Receiver, grouping and intervals are those of the route above where the file does not say them.
};

struct InhibitRule {
  std::string name;
  std::vector<Matcher> source, target;
  std::vector<std::string> equal;
};

// Ranges are inclusive, except that a time range ends before its end.
struct TimeInterval {
  struct Range {
    int32_t begin = 0, end = 0;
  };
  std::vector<Range> minutes;  // of the day: [begin, end)
  std::vector<Range> weekdays;  // 0: Sunday
  std::vector<Range> days_of_month;  // negative: from the month's end
  std::vector<Range> months, years;
  std::string location = "UTC";
};
struct NamedTimeInterval {
  std::string name;
  std::vector<TimeInterval> intervals;
};

struct NotifyConfig {
  int64_t resolve_timeout_ms = 300'000;
  RouteConfig route;
  std::vector<ReceiverConfig> receivers;
  std::vector<InhibitRule> inhibit_rules;
  std::vector<NamedTimeInterval> time_intervals;
  std::vector<std::string> template_files;  // paths that `templates` matched
  std::string original;                     // as read, secrets replaced by <secret>: /api/v2/status shows it
};

// `base_dir`: what relative paths in it are relative to.
Result<NotifyConfig> ParseNotifyConfig(std::string_view yaml, std::string_view name, std::string_view base_dir);
Result<NotifyConfig> ReadNotifyConfig(const std::string& path);

// `a="b"`, `{a=~"b|c", d!="e"}` and the older forms, as matchers of routes, silences and the API's filters are written.
Result<std::vector<Matcher>> ParseAlertMatchers(std::string_view text);

}  // namespace varve
