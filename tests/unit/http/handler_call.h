// Calls a route's handler directly, without a server: for tests of what the APIs answer.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "engine/base/cancel.h"
#include "http/router.h"

namespace varve::testing {

// Percent-encodes everything but letters and digits.
inline std::string UrlEncoded(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) {
      out.push_back(c);
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

// "a=1&b=2" of unencoded pairs.
inline std::string Query(const std::vector<std::pair<std::string, std::string>>& params) {
  std::string out;
  for (const auto& [name, value] : params) {
    out += (out.empty() ? "" : "&") + UrlEncoded(name) + "=" + UrlEncoded(value);
  }
  return out;
}

// `target` is a path, perhaps with ?query. Header names in lower case.
inline HttpResponse CallHandler(const Router& router, std::string method, const std::string& target,
                                std::string body = {},
                                std::vector<std::pair<std::string, std::string>> headers = {}) {
  CancelToken cancel;
  HttpRequest request;
  request.method = std::move(method);
  request.target = target;
  const size_t question = std::min(target.find('?'), target.size());
  request.path = target.substr(0, question);
  request.url_query = question < target.size() ? target.substr(question + 1) : "";
  request.headers = std::move(headers);
  request.body = std::move(body);
  request.cancel = &cancel;
  Router::Match match = router.Find(request.method, request.path);
  EXPECT_TRUE(match.method_allowed) << request.method << " " << target;
  if (!match.method_allowed) return {};
  request.path_params = std::move(match.path_params);
  return match.route->handler(request);
}

}  // namespace varve::testing
