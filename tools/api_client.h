// A client of one Varve (or Loki) server's HTTP API.
//
// Errors: kUnavailable when the server cannot be reached, naming address and reason; kTooLarge when an
// answer exceeds answer_bytes_max. A status other than 2xx is an answer, not an error of Send.
// Threads: thread-compatible; one connection, kept alive.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/status.h"

namespace varve {

struct HttpAnswer {
  long status = 0;
  std::string body;
  int64_t retry_after_ms = 0;  // from Retry-After; 0 = not said
};

struct ServerAddress {
  std::string url;     // "http://127.0.0.1:3100", with or without a path prefix
  std::string tenant;  // X-Scope-OrgID; empty = none
};

class ApiClient {
 public:
  static constexpr size_t kAnswerBytesMax = size_t{1} << 30;
  using Parameters = std::vector<std::pair<std::string, std::string>>;

  explicit ApiClient(ServerAddress address);
  ~ApiClient();
  ApiClient(const ApiClient&) = delete;
  ApiClient& operator=(const ApiClient&) = delete;

  // Of whole requests; beyond, and when `stop` (asked about once a second or more often) says so: kUnavailable. 0: none.
  void SetTimeout(int64_t timeout_ms, std::function<bool()> stop);

  // `path` begins with a slash; parameters are escaped here.
  Result<HttpAnswer> Get(std::string_view path, const Parameters& parameters);
  // `content_encoding` is sent as it is; empty: no header.
  Result<HttpAnswer> Post(std::string_view path, std::string_view content_type, std::string_view body,
                          std::string_view content_encoding = {});
  Result<HttpAnswer> Delete(std::string_view path);
  // What to say of an answer that is not a success: its text.
  static Status ErrorOf(HttpAnswer answer);
  // As Get; an answer other than 200 becomes an error that holds the server's text.
  Result<std::string> GetText(std::string_view path, const Parameters& parameters);

  // `text` as one segment of a path.
  static std::string EscapePathSegment(std::string_view text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace varve
