// Which handler answers which path and method.
//
// Patterns are literal paths with {name} for one segment: "/loki/api/v1/label/{name}/values". Paths are
// compared segment by segment before percent-decoding, so that a segment may hold an encoded '/'.
// Threads: Add before the server starts; Match is thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "http/message.h"

namespace varve {

// Where a handler runs. Pushes and queries wait in queues of their own; what is answered at once from memory
// runs on the I/O thread.
enum class Worker : uint8_t { kInline, kAdmin, kPush, kQuery };

using Handler = std::function<HttpResponse(const HttpRequest&)>;
// How a push is told that it was refused before its handler saw it: too large, no room.
using RefusalForm = HttpResponse (*)(const Status&);

struct Route {
  std::string pattern;
  std::string name;  // for metrics and logs, in Loki's spelling: "loki_api_v1_query_range"
  std::vector<std::string> methods;
  Worker worker = Worker::kInline;
  Handler handler;
  RefusalForm refusal_form = nullptr;  // null: LokiPushError
};

class Router {
 public:
  void Add(std::vector<std::string> methods, std::string_view pattern, Worker worker, Handler handler,
           RefusalForm refusal_form = nullptr);

  struct Match {
    const Route* route = nullptr;  // null: no such path
    bool method_allowed = false;
    std::vector<std::string> path_params;  // decoded
  };
  Match Find(std::string_view method, std::string_view path) const;

 private:
  struct Entry {
    std::vector<std::string> segments;  // "{" for a parameter
    Route route;
  };
  std::vector<Entry> entries_;
};

}  // namespace varve
