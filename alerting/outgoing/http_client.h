// HTTP requests to others (webhooks, Slack, Alertmanagers), by libcurl. Configuration as Prometheus's http_config.
//
// Threads: thread-safe; one connection cache a thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/status.h"

namespace varve {

struct TlsConfig {
  std::string ca_file, cert_file, key_file, server_name;
  bool insecure_skip_verify = false;
  std::string min_version, max_version;  // TLS10 to TLS13; empty: from TLS12 to the newest
};

struct HttpClientConfig {
  std::string basic_auth_username, basic_auth_password, basic_auth_password_file;
  std::string authorization_type, authorization_credentials, authorization_credentials_file;  // type: Bearer when empty
  std::string proxy_url, no_proxy;
  bool proxy_from_environment = false;
  bool follow_redirects = true;
  TlsConfig tls;
  std::vector<std::pair<std::string, std::string>> headers;
};

struct HttpReply {
  int status = 0;
  std::string body;             // at most kHttpReplyBytesMax, the rest is dropped
  int64_t retry_after_ms = -1;  // of Retry-After; -1: none
};
inline constexpr size_t kHttpReplyBytesMax = 64 << 10;

struct OutgoingRequest {
  std::string method = "POST";
  std::string url;
  std::string content_type = "application/json";
  std::string body;
  int64_t timeout_ms = 10'000;
};

// kUnavailable: no answer (name, connection, TLS, timeout), in libcurl's words after the host's name (never the whole URL:
// it may hold a secret). kIoError: a file of the configuration. Any HTTP status is an answer. kCancelled.
Result<HttpReply> SendHttp(const OutgoingRequest& request, const HttpClientConfig& config, const CancelToken& cancel);

}  // namespace varve
