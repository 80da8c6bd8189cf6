#include "alerting/outgoing/http_client.h"

#include <algorithm>

#include "alerting/outgoing/curl_session.h"

namespace varve {
namespace {

constexpr long kRedirectsMax = 10;

size_t TakeBody(char* data, size_t size, size_t count, void* reply) {
  auto* body = &static_cast<HttpReply*>(reply)->body;
  body->append(data, std::min(size * count, kHttpReplyBytesMax - std::min(kHttpReplyBytesMax, body->size())));
  return size * count;
}

size_t TakeHeader(char* data, size_t size, size_t count, void* reply) {
  // Each answer of a chain of redirects begins with its status line; only the last one's body is kept.
  if (std::string_view(data, size * count).starts_with("HTTP/")) static_cast<HttpReply*>(reply)->body.clear();
  return size * count;
}

// What goes into "Authorization:", from the configuration's text or file; empty: nothing.
Result<std::string> Authorization(const HttpClientConfig& config) {
  std::string credentials = config.authorization_credentials;
  if (!config.authorization_credentials_file.empty()) {
    VARVE_ASSIGN_OR_RETURN(credentials, ReadSecretFile(config.authorization_credentials_file));
  }
  if (credentials.empty()) return std::string();
  return (config.authorization_type.empty() ? "Bearer" : config.authorization_type) + " " + credentials;
}

Status SetBasicAuth(const HttpClientConfig& config, CurlSession* session) {
  if (config.basic_auth_username.empty()) return Status::Ok();
  std::string password = config.basic_auth_password;
  if (!config.basic_auth_password_file.empty()) {
    VARVE_ASSIGN_OR_RETURN(password, ReadSecretFile(config.basic_auth_password_file));
  }
  session->Set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
  session->Set(CURLOPT_USERNAME, config.basic_auth_username.c_str());
  session->Set(CURLOPT_PASSWORD, password.c_str());
  return Status::Ok();
}

void SetProxy(const HttpClientConfig& config, CurlSession* session) {
  if (config.proxy_url.empty() && config.proxy_from_environment) return;  // libcurl looks by itself
  session->Set(CURLOPT_PROXY, config.proxy_url.c_str());
  if (!config.no_proxy.empty()) session->Set(CURLOPT_NOPROXY, config.no_proxy.c_str());
}

// Connects to the URL's host, but asks for (SNI) and checks the certificate of `server_name`.
std::string AsServer(const UrlParts& url, const std::string& server_name, CurlList* connect_to, CurlList* headers) {
  connect_to->Add(server_name + ":" + url.port + ":" + url.host + ":" + url.port);
  headers->Add("Host: " + url.host + ":" + url.port);
  return url.scheme + "://" + server_name + ":" + url.port + url.rest;
}

void SetBody(const OutgoingRequest& request, CurlSession* session) {
  session->Set(CURLOPT_CUSTOMREQUEST, static_cast<const char*>(nullptr));
  if (request.method == "GET") {
    session->Set(CURLOPT_HTTPGET, 1L);
    return;
  }
  session->Set(CURLOPT_POST, 1L);
  session->Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  session->Set(CURLOPT_POSTFIELDS, request.body.c_str());
  if (request.method != "POST") session->Set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

}  // namespace

Result<HttpReply> SendHttp(const OutgoingRequest& request, const HttpClientConfig& config, const CancelToken& cancel) {
  VARVE_ASSIGN_OR_RETURN(UrlParts parts, SplitUrl(request.url));
  CurlSession session(cancel, request.timeout_ms);
  session.Conceal(parts.rest);
  HttpReply reply;
  CurlList headers, connect_to;
  headers.Add("Content-Type: " + request.content_type);
  headers.Add("Expect:");  // one round trip
  VARVE_ASSIGN_OR_RETURN(std::string authorization, Authorization(config));
  if (!authorization.empty()) headers.Add("Authorization: " + authorization);
  for (const auto& [name, value] : config.headers) headers.Add(value.empty() ? name + ";" : name + ": " + value);
  std::string url = request.url;
  if (!config.tls.server_name.empty() && parts.scheme == "https") {
    url = AsServer(parts, config.tls.server_name, &connect_to, &headers);
    session.Set(CURLOPT_CONNECT_TO, connect_to.get());
  }
  session.Set(CURLOPT_URL, url.c_str());
  session.Set(CURLOPT_PROTOCOLS_STR, "http,https");
  session.Set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  session.Set(CURLOPT_FOLLOWLOCATION, config.follow_redirects ? 1L : 0L);
  session.Set(CURLOPT_MAXREDIRS, kRedirectsMax);
  session.Set(CURLOPT_USERAGENT, "varve");
  SetBody(request, &session);
  session.Set(CURLOPT_HTTPHEADER, headers.get());
  session.Set(CURLOPT_WRITEFUNCTION, &TakeBody);
  session.Set(CURLOPT_WRITEDATA, &reply);
  session.Set(CURLOPT_HEADERFUNCTION, &TakeHeader);
  session.Set(CURLOPT_HEADERDATA, &reply);
  SetProxy(config, &session);
  VARVE_RETURN_IF_ERROR(SetBasicAuth(config, &session));
  VARVE_RETURN_IF_ERROR(session.UseTls(config.tls));
  VARVE_RETURN_IF_ERROR(session.Perform(parts.host));
  long status = 0;
  curl_easy_getinfo(session.handle(), CURLINFO_RESPONSE_CODE, &status);
  reply.status = static_cast<int>(status);
  curl_off_t retry_after = 0;
  if (curl_easy_getinfo(session.handle(), CURLINFO_RETRY_AFTER, &retry_after) == CURLE_OK && retry_after > 0) {
    reply.retry_after_ms = static_cast<int64_t>(std::min<curl_off_t>(retry_after, 86'400)) * 1'000;
  }
  return reply;
}

}  // namespace varve
