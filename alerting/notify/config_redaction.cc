#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "alerting/notify/config_sections.h"

namespace varve {
namespace {

constexpr std::string_view kSecretKeys[] = {
    "smtp_auth_password", "smtp_auth_secret", "slack_api_url", "slack_app_token", "opsgenie_api_key",
    "wechat_api_secret", "victorops_api_key", "telegram_bot_token", "rocketchat_token", "rocketchat_token_id",
    "mattermost_webhook_url", "auth_password", "auth_secret", "api_url", "app_token", "routing_key", "service_key",
    "password", "credentials", "bearer_token", "secrets", "proxy_url",
};
constexpr std::string_view kHidden = "<secret>";

// A webhook's URL is a secret, those of Slack's buttons and of PagerDuty's service are not.
bool IsSecret(std::string_view key, std::string_view section) {
  if (key == "url") return section != "actions" && section != "pagerduty_configs";
  return std::find(std::begin(kSecretKeys), std::end(kSecretKeys), key) != std::end(kSecretKeys);
}

void Emit(const YamlNode& node, std::string_view section, YAML::Emitter* out);

void EmitHidden(const YamlNode& node, YAML::Emitter* out) {
  if (!node.is_sequence()) {
    *out << std::string(kHidden);
    return;
  }
  *out << YAML::BeginSeq;
  for (size_t i = 0; i < node.items.size(); ++i) *out << std::string(kHidden);
  *out << YAML::EndSeq;
}

void EmitMap(const YamlNode& node, std::string_view section, YAML::Emitter* out) {
  *out << YAML::BeginMap;
  for (size_t i = 0; i < node.keys.size(); ++i) {
    const std::string& key = node.keys[i].text;
    const YamlNode& value = node.items[i];
    *out << YAML::Key << key << YAML::Value;
    if (!value.is_null() && IsSecret(key, section)) {
      EmitHidden(value, out);
    } else {
      Emit(value, key, out);
    }
  }
  *out << YAML::EndMap;
}

// Depth is bounded by the parser's.
void Emit(const YamlNode& node, std::string_view section, YAML::Emitter* out) {
  switch (node.kind) {
    case YamlNode::Kind::kNull: *out << YAML::Null; break;
    case YamlNode::Kind::kMap: EmitMap(node, section, out); break;
    case YamlNode::Kind::kScalar:
      if (!node.plain) *out << YAML::DoubleQuoted;
      *out << node.text;
      break;
    case YamlNode::Kind::kSequence:
      *out << YAML::BeginSeq;
      for (const YamlNode& item : node.items) Emit(item, section, out);
      *out << YAML::EndSeq;
      break;
  }
}

}  // namespace

std::string RedactedYaml(const YamlNode& root) {
  if (root.is_null()) return "";
  YAML::Emitter out;
  Emit(root, "", &out);
  return std::string(out.c_str()) + "\n";
}

}  // namespace varve
