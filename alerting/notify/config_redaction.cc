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
constexpr int kDepthMax = 100;

// A webhook's URL is a secret, those of Slack's buttons and of PagerDuty's service are not.
bool IsSecret(std::string_view key, std::string_view section) {
  if (key == "url") return section != "actions" && section != "pagerduty_configs";
  return std::find(std::begin(kSecretKeys), std::end(kSecretKeys), key) != std::end(kSecretKeys);
}

class Redaction {
 public:
  // False when there is more to see than anyone writes.
  bool Walk(YAML::Node node, const std::string& section, int depth) {
    if (depth > kDepthMax || ++nodes_ > YamlFile::kNodesMax) return false;
    if (node.IsSequence()) {
      for (auto element : node) {
        if (!Walk(element, section, depth + 1)) return false;
      }
    }
    if (!node.IsMap()) return true;
    for (auto pair : node) {
      const std::string key = pair.first.IsScalar() ? pair.first.Scalar() : "";
      YAML::Node value = pair.second;
      if (!YamlIsEmpty(value) && IsSecret(key, section)) {
        Hide(value);
      } else if (!Walk(value, key, depth + 1)) {
        return false;
      }
    }
    return true;
  }

 private:
  static void Hide(YAML::Node value) {
    if (value.IsSequence()) {
      for (size_t i = 0; i < value.size(); ++i) value[i] = std::string(kHidden);
    } else {
      value = std::string(kHidden);
    }
  }

  size_t nodes_ = 0;
};

}  // namespace

std::string RedactedYaml(YAML::Node root) {
  if (YamlIsEmpty(root)) return "";
  if (!Redaction().Walk(root, "", 0)) return "# too large to show\n";
  YAML::Emitter out;
  out << root;
  return std::string(out.c_str()) + "\n";
}

}  // namespace varve
