// `http_config` and `tls_config` as Prometheus's client libraries read them.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "alerting/notify/config_yaml.h"
#include "alerting/outgoing/http_client.h"

namespace varve {

// `base_dir`: what relative paths are relative to. Errors go to the map's file.
void ReadTlsConfig(YamlMap* map, std::string_view base_dir, TlsConfig* out);
// Reads the keys of an http_config out of `map`, which may have others.
void ReadHttpConfigKeys(YamlMap* map, std::string_view base_dir, HttpClientConfig* out);

// `path` below `base_dir` unless it is absolute or empty.
std::string ResolvedPath(std::string_view base_dir, std::string_view path);

// Empty, or why it is not an http(s) URL with a host.
std::string UrlComplaint(const std::string& url);

}  // namespace varve
