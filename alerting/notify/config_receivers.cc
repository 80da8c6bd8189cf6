#include <algorithm>
#include <cctype>
#include <set>

#include "alerting/notify/config_sections.h"
#include "alerting/notify/http_config.h"
#include "engine/model/labels.h"

namespace varve {
namespace {

// Alertmanager's other kinds.
constexpr std::string_view kForeignKinds[] = {
    "discord", "incidentio", "opsgenie", "wechat", "pushover", "victorops", "sns", "telegram", "webex",
    "msteams", "msteamsv2", "jira", "rocketchat", "mattermost",
};

// An http_config of the receiver's own stands for the whole of the global one.
void ReadOwnHttp(YamlMap* map, const NotifyGlobals& globals, std::string_view base_dir, HttpClientConfig* out) {
  const YamlNode* node = map->Take("http_config");
  if (node == nullptr) {
    *out = globals.http;
    return;
  }
  YamlMap http(map->file(), *node, map->where() + ": http_config");
  ReadHttpConfigKeys(&http, base_dir, out);
  http.Finish();
}

std::string CanonicalHeader(std::string_view name) {
  std::string out;
  bool start = true;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    out += static_cast<char>(start ? std::toupper(byte) : std::tolower(byte));
    start = c == '-';
  }
  return out;
}

void ReadHeaders(YamlMap* map, EmailConfig* out) {
  LabelMap headers;
  map->Read("headers", &headers);
  for (auto& [name, value] : headers) {
    const std::string canonical = CanonicalHeader(name);
    if (!out->headers.emplace(canonical, value).second) {
      map->FailAt("headers", "duplicate header \"" + canonical + "\" in email config");
    }
    const bool token = !name.empty() && std::all_of(name.begin(), name.end(),
                                                    [](char c) { return c > 0x20 && c < 0x7f && c != ':'; });
    if (!token) map->FailAt("headers", GoQuoted(name) + " is not the name of a header");
  }
}

void ReadThreading(YamlMap* map, EmailConfig* out) {
  const YamlNode* node = map->Take("threading");
  if (node == nullptr) return;
  YamlMap threading(map->file(), *node, map->where() + ": threading");
  bool enabled = false;
  std::string by_date;
  threading.Read("enabled", &enabled);
  threading.Read("thread_by_date", &by_date);
  threading.Finish();
  if (!enabled) return;
  for (const char* header : {"References", "In-Reply-To"}) {
    if (out->headers.contains(header)) {
      threading.Fail("threading.enabled conflicts with custom " + std::string(header) + " header");
    }
  }
  if (by_date != "none" && by_date != "daily") {
    threading.Fail("thread_by_date must be either 'none' or 'daily'");
  }
  out->threading = by_date == "daily" ? EmailConfig::Threading::kDaily : EmailConfig::Threading::kAlways;
}

void CheckSmarthost(YamlMap* map, const std::string& smarthost) {
  const size_t colon = smarthost.rfind(':');
  const std::string host = smarthost.substr(0, colon == std::string::npos ? smarthost.size() : colon);
  if (colon == std::string::npos || colon + 1 == smarthost.size()) {
    map->Fail("address \"" + smarthost + "\": missing port");
  } else if (host.find_first_of("/@ \r\n") != std::string::npos ||
             smarthost.find_first_not_of("0123456789", colon + 1) != std::string::npos) {
    map->Fail("address \"" + smarthost + "\" is not host:port");
  }
}

std::string DefaultTemplate(std::string_view name) { return "{{ template \"" + std::string(name) + "\" . }}"; }

void ReadSlackField(YamlMap* parent, const YamlNode& node, SlackConfig* out) {
  YamlMap map(parent->file(), node, parent->where() + ": fields");
  SlackField field;
  map.Read("title", &field.title);
  map.Read("value", &field.value);
  map.Read("short", &field.is_short);
  if (field.title.empty()) map.Fail("missing title in Slack field configuration");
  if (field.value.empty()) map.Fail("missing value in Slack field configuration");
  map.Finish();
  out->fields.push_back(std::move(field));
}

void ReadSlackAction(YamlMap* parent, const YamlNode& node, SlackConfig* out) {
  YamlMap map(parent->file(), node, parent->where() + ": actions");
  SlackAction action;
  map.Read("type", &action.type);
  map.Read("text", &action.text);
  map.Read("url", &action.url);
  map.Read("style", &action.style);
  map.Read("name", &action.name);
  map.Read("value", &action.value);
  if (const YamlNode* confirm_node = map.Take("confirm"); confirm_node != nullptr) {
    YamlMap confirm_map(map.file(), *confirm_node, map.where() + ": confirm");
    SlackAction::Confirm confirm;
    confirm_map.Read("text", &confirm.text);
    confirm_map.Read("title", &confirm.title);
    confirm_map.Read("ok_text", &confirm.ok_text);
    confirm_map.Read("dismiss_text", &confirm.dismiss_text);
    if (confirm.text.empty()) confirm_map.Fail("missing text in Slack confirmation configuration");
    confirm_map.Finish();
    action.confirm = std::move(confirm);
  }
  if (action.type.empty()) map.Fail("missing type in Slack action configuration");
  if (action.text.empty()) map.Fail("missing text in Slack action configuration");
  if (action.url.empty() && action.name.empty()) map.Fail("missing name or url in Slack action configuration");
  if (!action.url.empty()) {  // a link, not a question to an application
    action.name.clear();
    action.value.clear();
    action.confirm.reset();
  }
  map.Finish();
  out->actions.push_back(std::move(action));
}

// Where a message goes: a webhook's URL, or the API with an application's token.
void ReadSlackTarget(YamlMap* map, const NotifyGlobals& globals, std::string_view base_dir, SlackConfig* out) {
  ReadSecret(map, "api_url", base_dir, SecretKind::kUrl, &out->api_url);
  ReadSecret(map, "app_token", base_dir, SecretKind::kText, &out->app_token);
  out->app_url = globals.slack_app_url;
  ReadUrl(map, "app_url", &out->app_url);
  if (!out->api_url.empty() && !out->app_token.empty()) {
    map->Fail("at most one of api_url/api_url_file & app_token/app_token_file must be configured");
  }
  bool own_authorization = false;
  if (const YamlNode* http = map->Take("http_config"); http != nullptr) {
    own_authorization = !out->http.authorization_credentials.empty() || !out->http.authorization_credentials_file.empty();
  }
  if (out->app_token.empty() && out->api_url.text.empty() && !own_authorization) out->app_token = globals.slack_app_token;
  if (out->api_url.empty()) out->api_url = globals.slack_api_url;
  if (out->api_url.empty() && out->app_token.empty()) {
    map->Fail("no Slack API URL nor App token set either inline or in a file");
  }
  const bool authorized =
      !out->http.authorization_credentials.empty() || !out->http.authorization_credentials_file.empty();
  if (!out->app_token.empty() && authorized) map->Fail("http authorization can't be set when using Slack App tokens");
}

void ReadReceiver(YamlFile* file, const YamlNode& node, const NotifyGlobals& globals, std::string_view base_dir,
                  ReceiverConfig* out) {
  YamlMap unnamed(file, node, "receivers");
  unnamed.Read("name", &out->name);
  const std::string where = "receiver " + GoQuoted(out->name);
  YamlMap map(file, node, where);
  map.Take("name");
  if (out->name.empty()) map.Fail("missing name in receiver");
  LabelMap labels;  // for Alertmanager's own lists
  map.Read("labels", &labels);
  const auto each = [&](std::string_view key, auto* configs, auto read) {
    size_t at = 0;
    map.Each(key, [&](const YamlNode& entry) {
      YamlMap entry_map(file, entry, where + ": " + std::string(key) + "[" + std::to_string(at++) + "]");
      read(&entry_map, globals, base_dir, &configs->emplace_back());
      entry_map.Finish();
    });
  };
  each("email_configs", &out->emails, &ReadEmailConfig);
  each("slack_configs", &out->slacks, &ReadSlackConfig);
  each("webhook_configs", &out->webhooks, &ReadWebhookConfig);
  each("pagerduty_configs", &out->pagerduties, &ReadPagerdutyConfig);
  for (const std::string_view kind : kForeignKinds) {
    const std::string key = std::string(kind) + "_configs";
    const YamlNode* foreign = map.Take(key);
    if (foreign != nullptr) {
      map.FailAt(key, "this kind of receiver is not built in (email, pagerduty, slack and webhook are)");
    }
  }
  map.Finish();
}

}  // namespace

void ReadEmailConfig(YamlMap* map, const NotifyGlobals& globals, std::string_view base_dir, EmailConfig* out) {
  *out = globals.email;
  out->html = DefaultTemplate("email.default.html");
  map->Read("send_resolved", &out->send_resolved);
  map->Read("to", &out->to);
  if (out->to.empty()) map->Fail("missing to address in email config");
  const auto override_with = [&](std::string_view key, std::string* value) {
    std::string own;
    if (map->Read(key, &own)) *value = std::move(own);
  };
  override_with("from", &out->from);
  override_with("hello", &out->hello);
  override_with("smarthost", &out->smarthost);
  override_with("auth_username", &out->auth_username);
  override_with("auth_identity", &out->auth_identity);
  ReadSecret(map, "auth_password", base_dir, SecretKind::kText, &out->auth_password);
  ReadSecret(map, "auth_secret", base_dir, SecretKind::kText, &out->auth_secret);
  if (out->smarthost.empty()) {
    map->Fail("no global SMTP smarthost set");
  } else {
    CheckSmarthost(map, out->smarthost);
  }
  if (out->from.empty()) map->Fail("no global SMTP from set");
  ReadHeaders(map, out);
  map->Read("html", &out->html);
  map->Read("text", &out->text);
  map->Read("require_tls", &out->require_tls);
  map->Read("force_implicit_tls", &out->implicit_tls);
  if (const YamlNode* tls = map->Take("tls_config"); tls != nullptr) {
    out->tls = TlsConfig();
    YamlMap tls_map(map->file(), *tls, map->where() + ": tls_config");
    ReadTlsConfig(&tls_map, base_dir, &out->tls);
  }
  ReadThreading(map, out);
}

void ReadSlackConfig(YamlMap* map, const NotifyGlobals& globals, std::string_view base_dir, SlackConfig* out) {
  ReadOwnHttp(map, globals, base_dir, &out->http);
  ReadSlackTarget(map, globals, base_dir, out);
  map->Read("send_resolved", &out->send_resolved);
  const std::pair<std::string_view, std::pair<std::string_view, std::string*>> kTexts[] = {
      {"channel", {"", &out->channel}},
      {"username", {"slack.default.username", &out->username}},
      {"color", {"slack.default.color", &out->color}},
      {"title", {"slack.default.title", &out->title}},
      {"title_link", {"slack.default.titlelink", &out->title_link}},
      {"pretext", {"slack.default.pretext", &out->pretext}},
      {"text", {"slack.default.text", &out->text}},
      {"message_text", {"", &out->message_text}},
      {"footer", {"slack.default.footer", &out->footer}},
      {"fallback", {"slack.default.fallback", &out->fallback}},
      {"callback_id", {"slack.default.callbackid", &out->callback_id}},
      {"icon_emoji", {"slack.default.iconemoji", &out->icon_emoji}},
      {"icon_url", {"slack.default.iconurl", &out->icon_url}},
      {"image_url", {"", &out->image_url}},
      {"thumb_url", {"", &out->thumb_url}},
  };
  for (const auto& [key, target] : kTexts) {
    if (!target.first.empty()) *target.second = DefaultTemplate(target.first);
    map->Read(key, target.second);
  }
  map->Read("short_fields", &out->short_fields);
  map->Read("link_names", &out->link_names);
  map->Read("mrkdwn_in", &out->mrkdwn_in);
  map->ReadGoDurationMs("timeout", &out->timeout_ms);
  bool update = false;
  if (map->Read("update_message", &update) && update) map->FailAt("update_message", "is not supported");
  map->Each("fields", [&](const YamlNode& node) { ReadSlackField(map, node, out); });
  map->Each("actions", [&](const YamlNode& node) { ReadSlackAction(map, node, out); });
}

void ReadWebhookConfig(YamlMap* map, const NotifyGlobals& globals, std::string_view base_dir, WebhookConfig* out) {
  if (map->node().is_null()) map->Fail("missing webhook config");
  ReadOwnHttp(map, globals, base_dir, &out->http);
  map->Read("send_resolved", &out->send_resolved);
  std::string text;
  map->Read("url", &text);
  const bool templated = text.find("{{") != std::string::npos;
  ReadSecret(map, "url", base_dir, templated ? SecretKind::kText : SecretKind::kUrl, &out->url);
  if (!map->Has("url") && !map->Has("url_file")) map->Fail("one of url or url_file must be configured");
  map->Read("max_alerts", &out->max_alerts);
  map->ReadGoDurationMs("timeout", &out->timeout_ms);
  const YamlNode* payload = map->Take("payload");
  if (payload != nullptr) map->FailAt("payload", "is not supported");
}

void ReadPagerdutyConfig(YamlMap* map, const NotifyGlobals& globals, std::string_view base_dir, PagerdutyConfig* out) {
  if (map->node().is_null()) map->Fail("missing pagerduty config");
  ReadOwnHttp(map, globals, base_dir, &out->http);
  map->Read("send_resolved", &out->send_resolved);
  ReadSecret(map, "routing_key", base_dir, SecretKind::kText, &out->routing_key);
  ReadSecret(map, "service_key", base_dir, SecretKind::kText, &out->service_key);
  if (!out->service_key.empty()) {
    map->FailAt(map->Has("service_key") ? "service_key" : "service_key_file",
                "PagerDuty's Events API v1 is not supported; use a routing_key (v2)");
  } else if (out->routing_key.empty()) {
    map->Fail("missing service or routing key in PagerDuty config");
  }
  out->url = globals.pagerduty_url;
  ReadUrl(map, "url", &out->url);
  out->client = DefaultTemplate("pagerduty.default.client");
  out->client_url = DefaultTemplate("pagerduty.default.clientURL");
  out->description = DefaultTemplate("pagerduty.default.description");
  map->Read("client", &out->client);
  map->Read("client_url", &out->client_url);
  map->Read("description", &out->description);
  out->source = out->client;
  std::string source;
  if (map->Read("source", &source)) out->source = source;
  out->severity = "error";
  std::string severity;
  if (map->Read("severity", &severity)) out->severity = severity;
  map->Read("class", &out->component_class);
  map->Read("component", &out->component);
  map->Read("group", &out->group);
  out->details = {{"firing", "{{ template \"pagerduty.default.instances\" .Alerts.Firing }}"},
                  {"resolved", "{{ template \"pagerduty.default.instances\" .Alerts.Resolved }}"},
                  {"num_firing", "{{ .Alerts.Firing | len }}"},
                  {"num_resolved", "{{ .Alerts.Resolved | len }}"}};
  map->Read("details", &out->details);
  map->ReadGoDurationMs("timeout", &out->timeout_ms);
  map->Each("links", [&](const YamlNode& node) {
    YamlMap link(map->file(), node, map->where() + ": links");
    link.Read("href", &out->links.emplace_back().href);
    link.Read("text", &out->links.back().text);
    link.Finish();
  });
  map->Each("images", [&](const YamlNode& node) {
    YamlMap image(map->file(), node, map->where() + ": images");
    image.Read("src", &out->images.emplace_back().src);
    image.Read("alt", &out->images.back().alt);
    image.Read("href", &out->images.back().href);
    image.Finish();
  });
}

void ReadReceivers(YamlMap* root, const NotifyGlobals& globals, std::string_view base_dir,
                   std::vector<ReceiverConfig>* out) {
  std::set<std::string> names;
  root->Each("receivers", [&](const YamlNode& node) {
    ReceiverConfig receiver;
    receiver.where = root->file()->Place(node);
    ReadReceiver(root->file(), node, globals, base_dir, &receiver);
    if (!names.insert(receiver.name).second) {
      root->file()->Fail(node, "receivers", "notification config name " + GoQuoted(receiver.name) + " is not unique");
    }
    out->push_back(std::move(receiver));
  });
}

}  // namespace varve
