#include "alerting/notify/notify_config.h"

#include <glob.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "alerting/notify/config_sections.h"
#include "alerting/notify/http_config.h"
#include "alerting/outgoing/curl_session.h"

namespace varve {
namespace {

constexpr size_t kTemplateFilesMax = 1'000;

// Keys of `global` for kinds of receivers that are not built in: read over, as nobody can use them.
constexpr std::string_view kForeignGlobals[] = {
    "jira_api_url", "opsgenie_api_url", "opsgenie_api_key", "opsgenie_api_key_file", "wechat_api_url",
    "wechat_api_secret", "wechat_api_secret_file", "wechat_api_corp_id", "victorops_api_url", "victorops_api_key",
    "victorops_api_key_file", "telegram_api_url", "telegram_bot_token", "telegram_bot_token_file", "webex_api_url",
    "rocketchat_api_url", "rocketchat_token", "rocketchat_token_file", "rocketchat_token_id",
    "rocketchat_token_id_file", "mattermost_webhook_url", "mattermost_webhook_url_file",
};

void ReadTemplates(YamlMap* root, std::string_view base_dir, std::vector<std::string>* out) {
  std::vector<std::string> patterns;
  root->Read("templates", &patterns);
  for (const std::string& pattern : patterns) {
    glob_t found{};
    const int result = glob(ResolvedPath(base_dir, pattern).c_str(), GLOB_ERR, nullptr, &found);
    for (size_t i = 0; result == 0 && i < found.gl_pathc && out->size() <= kTemplateFilesMax; ++i) {
      if (std::find(out->begin(), out->end(), found.gl_pathv[i]) == out->end()) out->emplace_back(found.gl_pathv[i]);
    }
    globfree(&found);
    if (out->size() > kTemplateFilesMax) root->FailAt("templates", "more than 1000 files");
    // As Alertmanager: a pattern that matches nothing is no mistake, one that names a file is.
    const bool plain = pattern.find_first_of("*?[") == std::string::npos;
    if (result != 0 && plain) root->FailAt("templates", "cannot read \"" + pattern + "\"");
  }
}

std::string Basename(std::string_view path) {
  const size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

}  // namespace

Result<std::string> Secret::Read() const {
  if (file.empty()) return text;
  return ReadSecretFile(file);
}

void ReadUrl(YamlMap* map, std::string_view key, std::string* out) {
  std::string url;
  if (!map->Read(key, &url)) return;
  const std::string complaint = UrlComplaint(url);
  if (!complaint.empty()) {
    map->FailAt(key, complaint);
    return;
  }
  *out = std::move(url);
}

void ReadSecret(YamlMap* map, std::string_view key, std::string_view base_dir, SecretKind kind, Secret* out) {
  const std::string file_key = std::string(key) + "_file";
  Secret read;
  if (kind == SecretKind::kUrl) {
    ReadUrl(map, key, &read.text);
  } else {
    map->Read(key, &read.text);
  }
  map->Read(file_key, &read.file);
  read.file = ResolvedPath(base_dir, read.file);
  if (!read.text.empty() && !read.file.empty()) {
    map->Fail("at most one of " + std::string(key) + " & " + file_key + " must be configured");
  }
  if (!read.empty()) *out = std::move(read);
}

NotifyGlobals ReadGlobals(YamlFile* file, const YamlNode& node, std::string_view base_dir) {
  NotifyGlobals out;
  YamlMap map(file, node, "global");
  map.ReadDurationMs("resolve_timeout", &out.resolve_timeout_ms);
  if (const YamlNode* http = map.Take("http_config"); http != nullptr) {
    YamlMap http_map(file, *http, "global: http_config");
    ReadHttpConfigKeys(&http_map, base_dir, &out.http);
    http_map.Finish();
  }
  map.Read("smtp_from", &out.email.from);
  map.Read("smtp_hello", &out.email.hello);
  map.Read("smtp_smarthost", &out.email.smarthost);
  map.Read("smtp_auth_username", &out.email.auth_username);
  ReadSecret(&map, "smtp_auth_password", base_dir, SecretKind::kText, &out.email.auth_password);
  ReadSecret(&map, "smtp_auth_secret", base_dir, SecretKind::kText, &out.email.auth_secret);
  map.Read("smtp_auth_identity", &out.email.auth_identity);
  map.Read("smtp_require_tls", &out.email.require_tls);
  map.Read("smtp_force_implicit_tls", &out.email.implicit_tls);
  if (const YamlNode* tls = map.Take("smtp_tls_config"); tls != nullptr) {
    YamlMap tls_map(file, *tls, "global: smtp_tls_config");
    ReadTlsConfig(&tls_map, base_dir, &out.email.tls);
  }
  ReadSecret(&map, "slack_api_url", base_dir, SecretKind::kUrl, &out.slack_api_url);
  ReadSecret(&map, "slack_app_token", base_dir, SecretKind::kText, &out.slack_app_token);
  ReadUrl(&map, "slack_app_url", &out.slack_app_url);
  if (!out.slack_app_token.empty() && !out.slack_api_url.empty() && out.slack_api_url.text != out.slack_app_url) {
    map.Fail("at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be configured");
  }
  ReadUrl(&map, "pagerduty_url", &out.pagerduty_url);
  for (const std::string_view key : kForeignGlobals) map.Take(key);
  map.Finish();
  return out;
}

Result<NotifyConfig> ParseNotifyConfig(std::string_view yaml, std::string_view name, std::string_view base_dir) {
  YamlFile file(name);
  if (!file.Load(yaml)) return file.Errors();
  NotifyConfig config;
  YamlMap root(&file, file.root(), "");
  const YamlNode* global_node = root.Take("global");
  const NotifyGlobals globals = ReadGlobals(&file, global_node != nullptr ? *global_node : YamlNode(), base_dir);
  config.resolve_timeout_ms = globals.resolve_timeout_ms;
  ReadReceivers(&root, globals, base_dir, &config.receivers);
  ReadTimeIntervals(&root, &config.time_intervals);
  RouteNames names;
  for (const ReceiverConfig& receiver : config.receivers) names.receivers.insert(receiver.name);
  for (const NamedTimeInterval& interval : config.time_intervals) names.intervals.insert(interval.name);
  ReadRoutes(&root, names, &config.route);
  ReadInhibitRules(&root, &config.inhibit_rules);
  ReadTemplates(&root, base_dir, &config.template_files);
  root.Take("tracing");  // of Alertmanager's own requests
  root.Finish();
  VARVE_RETURN_IF_ERROR(file.Errors());
  config.original = RedactedYaml(file.root());
  return config;
}

Result<NotifyConfig> ReadNotifyConfig(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return IoError("cannot read " + path + ": " + std::error_code(errno, std::generic_category()).message());
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error || bytes > kYamlBytesMax) return IoError("cannot read " + path + ": not a file of at most 16 MiB");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return IoError("cannot read " + path);
  const size_t slash = path.rfind('/');
  const std::string base_dir = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  return ParseNotifyConfig(text, Basename(path), base_dir);
}

}  // namespace varve
