// What HTTP and SMTP share of libcurl: a handle a thread, TLS settings, cancelling, errors without secrets.
//
//   CurlSession session(cancel, timeout_ms);
//   session.Set(CURLOPT_URL, url); … session.UseTls(tls, host, port);
//   Status status = session.Perform("hooks.slack.com");
//
// The thread's handle is reset by the constructor and keeps its connections, so a session must end before the next of
// the same thread begins.
// Threads: one session, one thread.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "alerting/outgoing/http_client.h"
#include "engine/base/cancel.h"
#include "engine/base/status.h"

namespace varve {

// A list of strings as libcurl takes them.
class CurlList {
 public:
  CurlList() = default;
  ~CurlList() { curl_slist_free_all(list_); }
  CurlList(const CurlList&) = delete;
  CurlList& operator=(const CurlList&) = delete;
  void Add(const std::string& text);
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

class CurlSession {
 public:
  // `cancel` outlives the session.
  CurlSession(const CancelToken& cancel, int64_t timeout_ms);
  CurlSession(const CurlSession&) = delete;
  CurlSession& operator=(const CurlSession&) = delete;
  ~CurlSession();

  template <typename Value>
  void Set(CURLoption option, Value value) {
    if (handle_ != nullptr) curl_easy_setopt(handle_, option, value);
  }
  // Files must be readable: kIoError names the one that is not.
  Status UseTls(const TlsConfig& tls);
  // kUnavailable: "<where>: what libcurl says"; kCancelled; kIoError: a file of the TLS settings.
  Status Perform(std::string_view where);

  CURL* handle() const { return handle_; }
  // Text that errors must not show (a path with a token in it).
  void Conceal(std::string secret) { concealed_ = std::move(secret); }

 private:
  static int Progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

  CURL* handle_ = nullptr;
  const CancelToken& cancel_;
  bool cancelled_ = false;
  std::string concealed_;
  std::array<char, CURL_ERROR_SIZE> error_{};
};

// Scheme, host and port of a URL, and the rest of it, which may hold a secret. kInvalidArgument does not show the URL.
struct UrlParts {
  std::string scheme, host, port, rest;
};
Result<UrlParts> SplitUrl(const std::string& url);

// The text of a small file (a password, a token), blanks at its end removed. kIoError names the file.
Result<std::string> ReadSecretFile(const std::string& path);

}  // namespace varve
