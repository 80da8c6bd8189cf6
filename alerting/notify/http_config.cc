#include "alerting/notify/http_config.h"

#include <algorithm>
#include <array>

#include "alerting/outgoing/curl_session.h"

namespace varve {
namespace {

void ReadFile(YamlMap* map, std::string_view key, std::string_view base_dir, std::string* out) {
  if (map->Read(key, out)) *out = ResolvedPath(base_dir, *out);
}

void RefuseKey(YamlMap* map, std::string_view key, std::string_view why) {
  const YamlNode* value = map->Take(key);
  if (value != nullptr) map->FailAt(key, why);
}

void AtMostOne(YamlMap* map, std::string_view a, std::string_view b) {
  if (map->Has(a) && map->Has(b)) {
    map->Fail("at most one of " + std::string(a) + " & " + std::string(b) + " must be configured");
  }
}

void ReadBasicAuth(YamlMap* parent, const YamlNode& node, std::string_view base_dir, HttpClientConfig* out) {
  YamlMap map(parent->file(), node, parent->where() + ": basic_auth");
  map.Read("username", &out->basic_auth_username);
  map.Read("password", &out->basic_auth_password);
  ReadFile(&map, "password_file", base_dir, &out->basic_auth_password_file);
  AtMostOne(&map, "password", "password_file");
  RefuseKey(&map, "username_file", "is not supported; write the name as username");
  map.Finish();
}

void ReadAuthorization(YamlMap* parent, const YamlNode& node, std::string_view base_dir, HttpClientConfig* out) {
  YamlMap map(parent->file(), node, parent->where() + ": authorization");
  map.Read("type", &out->authorization_type);
  map.Read("credentials", &out->authorization_credentials);
  ReadFile(&map, "credentials_file", base_dir, &out->authorization_credentials_file);
  AtMostOne(&map, "credentials", "credentials_file");
  if (out->authorization_type == "Basic" || out->authorization_type == "basic") {
    map.Fail("authorization type cannot be set to \"basic\", use \"basic_auth\" instead");
  }
  map.Finish();
}

void ReadHeaders(YamlMap* parent, const YamlNode& node, HttpClientConfig* out) {
  if (!node.is_map()) {
    parent->FailAt("http_headers", "expected a mapping of names");
    return;
  }
  for (size_t i = 0; i < node.keys.size(); ++i) {
    const std::string& name = node.keys[i].text;
    YamlMap map(parent->file(), node.items[i], parent->where() + ": http_headers: " + name);
    std::vector<std::string> values, secrets;
    map.Read("values", &values);
    map.Read("secrets", &secrets);
    RefuseKey(&map, "files", "is not supported; write the value under secrets");
    map.Finish();
    values.insert(values.end(), secrets.begin(), secrets.end());
    for (const std::string& value : values) {
      const bool broken = (name + value).find_first_of("\r\n") != std::string::npos;
      if (broken || name.empty()) map.Fail("a header is one line with a name");
      out->headers.emplace_back(name, value);
    }
  }
}

void CheckAuthentication(YamlMap* map) {
  const bool bearer = map->Has("bearer_token") || map->Has("bearer_token_file");
  const int ways = (map->Has("basic_auth") ? 1 : 0) + (map->Has("authorization") ? 1 : 0) + (bearer ? 1 : 0);
  if (ways > 1) map->Fail("at most one of basic_auth, authorization & bearer_token must be configured");
  AtMostOne(map, "bearer_token", "bearer_token_file");
}

}  // namespace

std::string ResolvedPath(std::string_view base_dir, std::string_view path) {
  if (path.empty() || path.front() == '/' || base_dir.empty()) return std::string(path);
  return std::string(base_dir) + "/" + std::string(path);
}

std::string UrlComplaint(const std::string& url) {
  const auto parts = SplitUrl(url);
  if (!parts.ok()) return "not a URL";
  if (parts->scheme != "http" && parts->scheme != "https") return "unsupported scheme \"" + parts->scheme + "\" for URL";
  return url.find("://") == std::string::npos ? "a URL needs http:// or https://" : "";
}

void ReadTlsConfig(YamlMap* map, std::string_view base_dir, TlsConfig* out) {
  ReadFile(map, "ca_file", base_dir, &out->ca_file);
  ReadFile(map, "cert_file", base_dir, &out->cert_file);
  ReadFile(map, "key_file", base_dir, &out->key_file);
  map->Read("server_name", &out->server_name);
  map->Read("insecure_skip_verify", &out->insecure_skip_verify);
  map->Read("min_version", &out->min_version);
  map->Read("max_version", &out->max_version);
  for (const std::string_view key : {"ca", "cert", "key"}) {
    RefuseKey(map, key, "is not supported; name a file with " + std::string(key) + "_file");
  }
  constexpr std::array<std::string_view, 5> kVersions = {"", "TLS10", "TLS11", "TLS12", "TLS13"};
  for (const std::string* version : {&out->min_version, &out->max_version}) {
    if (std::find(kVersions.begin(), kVersions.end(), *version) == kVersions.end()) {
      map->Fail("unknown TLS version \"" + *version + "\" (TLS10, TLS11, TLS12, TLS13)");
    }
  }
  if (out->cert_file.empty() != out->key_file.empty()) map->Fail("cert_file and key_file must be configured together");
  if (out->server_name.find_first_of("/:\r\n ") != std::string::npos) map->Fail("server_name must be a host name");
  map->Finish();
}

void ReadHttpConfigKeys(YamlMap* map, std::string_view base_dir, HttpClientConfig* out) {
  CheckAuthentication(map);
  if (const YamlNode* node = map->Take("basic_auth"); node != nullptr) ReadBasicAuth(map, *node, base_dir, out);
  if (const YamlNode* node = map->Take("authorization"); node != nullptr) {
    ReadAuthorization(map, *node, base_dir, out);
  }
  map->Read("bearer_token", &out->authorization_credentials);
  ReadFile(map, "bearer_token_file", base_dir, &out->authorization_credentials_file);
  RefuseKey(map, "oauth2", "is not supported");
  RefuseKey(map, "proxy_connect_header", "is not supported");
  if (map->Read("proxy_url", &out->proxy_url) && !UrlComplaint(out->proxy_url).empty()) {
    map->FailAt("proxy_url", UrlComplaint(out->proxy_url));
  }
  map->Read("no_proxy", &out->no_proxy);
  map->Read("proxy_from_environment", &out->proxy_from_environment);
  if (out->proxy_from_environment && !(out->proxy_url.empty() && out->no_proxy.empty())) {
    map->Fail("if proxy_from_environment is configured, proxy_url and no_proxy must not be configured");
  }
  map->Read("follow_redirects", &out->follow_redirects);
  bool http2 = true;  // libcurl settles that with the server
  map->Read("enable_http2", &http2);
  if (const YamlNode* node = map->Take("http_headers"); node != nullptr) ReadHeaders(map, *node, out);
  if (const YamlNode* node = map->Take("tls_config"); node != nullptr) {
    YamlMap tls(map->file(), *node, map->where() + ": tls_config");
    ReadTlsConfig(&tls, base_dir, &out->tls);
  }
}

}  // namespace varve
