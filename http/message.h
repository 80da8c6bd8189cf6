// A request as handlers see it, and what they answer.
//
// Threads: thread-compatible; one request is handled by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/memory_budget.h"

namespace varve {

class BodySource;        // http/body_source.h
class WebSocketSession;  // http/websocket.h

struct HttpRequest {
  std::string method;     // "GET", in upper case as it came
  std::string target;     // as it came: path, and perhaps ?query
  std::string path;       // the target up to '?', percent-encoding untouched
  std::string url_query;  // what follows '?'
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case, in order
  std::vector<std::string> path_params;  // what {…} in the route's pattern matched, decoded
  std::string body;
  std::string remote;             // address:port of the peer
  CancelToken* cancel = nullptr;  // tripped when the client goes away; never null in a handler
  // A well-formed opening handshake of a WebSocket: the answer may have a `web_socket`.
  bool web_socket_upgrade = false;

  // The first header of that name (in lower case), or "".
  std::string_view Header(std::string_view lower_case_name) const {
    for (const auto& [name, value] : headers) {
      if (name == lower_case_name) return value;
    }
    return {};
  }
};

struct HttpResponse {
  int status = 200;
  std::string content_type;  // "" = no Content-Type header
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // besides type, length, encoding, connection
  // Whether a client that takes deflate and not gzip may get it, as Prometheus does it; Loki knows gzip alone.
  bool may_deflate = false;
  // What `body` is charged to; given back when the answer has gone out. May be null.
  std::shared_ptr<MemoryReservation> memory;
  // If set, the body comes from here piece by piece, and `body` is not looked at. The request stays alive until
  // the answer has ended.
  std::shared_ptr<BodySource> body_source;
  // If set, the answer is 101 and the connection becomes a WebSocket; nothing else here is looked at.
  std::shared_ptr<WebSocketSession> web_socket;
};

// How Go's http.Error and Loki mark a plain text body.
inline constexpr std::string_view kTextPlain = "text/plain; charset=utf-8";
inline constexpr std::string_view kJson = "application/json; charset=UTF-8";

inline HttpResponse TextResponse(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.content_type = kTextPlain;
  response.body = std::move(body);
  return response;
}

// An error in plain text; browsers are told not to guess another type.
inline HttpResponse ErrorText(int status, std::string body) {
  HttpResponse response = TextResponse(status, std::move(body));
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  return response;
}

inline HttpResponse JsonResponse(std::string body) {
  HttpResponse response;
  response.content_type = kJson;
  response.body = std::move(body);
  return response;
}

}  // namespace varve
