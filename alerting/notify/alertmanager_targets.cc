// `alerting:` of a prometheus.yml, and Loki's ruler.alertmanager_url.
#include <curl/curl.h>

#include <algorithm>

#include "alerting/notify/config_yaml.h"
#include "alerting/notify/external_alertmanagers.h"
#include "alerting/notify/http_config.h"
#include "alerting/outgoing/curl_session.h"

namespace varve {
namespace {

constexpr size_t kTargetsMax = 100;

// What can find Alertmanagers for Prometheus and not for us.
constexpr std::string_view kDiscoveries[] = {
    "azure_sd_configs", "consul_sd_configs", "digitalocean_sd_configs", "dns_sd_configs", "docker_sd_configs",
    "dockerswarm_sd_configs", "ec2_sd_configs", "eureka_sd_configs", "file_sd_configs", "gce_sd_configs",
    "hetzner_sd_configs", "http_sd_configs", "ionos_sd_configs", "kubernetes_sd_configs", "kuma_sd_configs",
    "lightsail_sd_configs", "linode_sd_configs", "marathon_sd_configs", "nerve_sd_configs", "nomad_sd_configs",
    "openstack_sd_configs", "ovhcloud_sd_configs", "puppetdb_sd_configs", "scaleway_sd_configs",
    "serverset_sd_configs", "triton_sd_configs", "uyuni_sd_configs", "vultr_sd_configs",
};

void Refuse(YamlMap* map, std::string_view key, std::string_view why) {
  if (map->Take(key) != nullptr) map->FailAt(key, why);
}

std::string WithoutEndingSlash(std::string text) {
  while (!text.empty() && text.back() == '/') text.pop_back();
  return text;
}

// scheme://host:port/prefix of one target, or nothing with an error.
std::string TargetUrl(YamlMap* map, const std::string& scheme, const std::string& host, const std::string& prefix) {
  if (host.empty() || host.find_first_of("/@ \r\n") != std::string::npos) {
    map->FailAt("targets", "\"" + host + "\" is not host:port");
    return "";
  }
  const bool slash = prefix.empty() || prefix.front() == '/';
  std::string url = WithoutEndingSlash(scheme + "://" + host + (slash ? "" : "/") + prefix);
  if (!UrlComplaint(url).empty()) {
    map->FailAt("targets", "\"" + host + "\" is not host:port");
    return "";
  }
  return url;
}

void ReadAlertmanager(YamlFile* file, const YamlNode& node, size_t at, std::string_view base_dir,
                      std::vector<AlertmanagerTarget>* out) {
  YamlMap map(file, node, "alertmanagers[" + std::to_string(at) + "]");
  AlertmanagerTarget model;
  std::string scheme = "http", prefix, api_version;
  if (map.Read("scheme", &scheme) && scheme != "http" && scheme != "https") map.FailAt("scheme", "must be http or https");
  map.Read("path_prefix", &prefix);
  map.ReadDurationMs("timeout", &model.timeout_ms);
  if (model.timeout_ms <= 0) map.FailAt("timeout", "must be more than 0");
  if (map.Read("api_version", &api_version) && api_version != "v2") map.FailAt("api_version", "only v2 is supported");
  ReadHttpConfigKeys(&map, base_dir, &model.http);
  for (const std::string_view key : {"relabel_configs", "alert_relabel_configs", "sigv4"}) {
    Refuse(&map, key, "is not supported");
  }
  for (const std::string_view key : kDiscoveries) {
    Refuse(&map, key, "is not supported; name the Alertmanagers in static_configs");
  }
  map.Each("static_configs", [&](const YamlNode& entry) {
    YamlMap group(file, entry, map.where() + ": static_configs");
    std::vector<std::string> hosts;
    LabelMap labels;  // of targets before relabelling; alerts do not carry them
    group.Read("targets", &hosts);
    group.Read("labels", &labels);
    group.Finish();
    for (const std::string& host : hosts) {
      model.url = TargetUrl(&group, scheme, host, prefix);
      if (!model.url.empty()) out->push_back(model);
    }
  });
  map.Finish();
}

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Takes user:password@ out of a URL.
Result<AlertmanagerTarget> TargetOfUrl(const std::string& url) {
  if (!UrlComplaint(url).empty()) return InvalidArgument(UrlComplaint(url));
  const std::unique_ptr<CURLU, void (*)(CURLU*)> parsed(curl_url(), curl_url_cleanup);
  if (parsed == nullptr || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return InvalidArgument("not a URL");
  }
  const auto part = [&](CURLUPart which, unsigned flags) {
    char* text = nullptr;
    std::string out;
    if (curl_url_get(parsed.get(), which, &text, flags) == CURLUE_OK && text != nullptr) out = text;
    curl_free(text);
    return out;
  };
  AlertmanagerTarget target;
  target.http.basic_auth_username = part(CURLUPART_USER, CURLU_URLDECODE);
  target.http.basic_auth_password = part(CURLUPART_PASSWORD, CURLU_URLDECODE);
  curl_url_set(parsed.get(), CURLUPART_USER, nullptr, 0);
  curl_url_set(parsed.get(), CURLUPART_PASSWORD, nullptr, 0);
  target.url = WithoutEndingSlash(part(CURLUPART_URL, 0));
  return target;
}

}  // namespace

Result<std::vector<AlertmanagerTarget>> ParseAlertmanagers(std::string_view yaml, std::string_view name,
                                                           uint32_t first_line) {
  YamlFile file(name, first_line);
  if (!file.Load(yaml)) return file.Errors();
  const size_t slash = name.rfind('/');
  const std::string_view base_dir = slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
  std::vector<AlertmanagerTarget> out;
  YamlMap map(&file, file.root(), "alerting");
  Refuse(&map, "alert_relabel_configs", "is not supported");
  size_t at = 0;
  map.Each("alertmanagers", [&](const YamlNode& node) { ReadAlertmanager(&file, node, at++, base_dir, &out); });
  if (out.size() > kTargetsMax) map.Fail("more than 100 Alertmanagers");
  map.Finish();
  VARVE_RETURN_IF_ERROR(file.Errors());
  return out;
}

Result<std::vector<AlertmanagerTarget>> ParseAlertmanagerUrls(std::string_view urls) {
  std::vector<AlertmanagerTarget> out;
  while (!urls.empty()) {
    const size_t comma = urls.find(',');
    const std::string url{Trimmed(urls.substr(0, comma))};
    urls.remove_prefix(comma == std::string_view::npos ? urls.size() : comma + 1);
    if (url.empty()) continue;
    auto target = TargetOfUrl(url);
    if (!target.ok()) return std::move(target).status().WithContext("URL " + std::to_string(out.size() + 1));
    out.push_back(std::move(*target));
    if (out.size() > kTargetsMax) return InvalidArgument("more than 100 Alertmanagers");
  }
  return out;
}

}  // namespace varve
