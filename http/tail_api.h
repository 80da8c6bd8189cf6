// GET /loki/api/v1/tail: history, then what comes in, over a WebSocket; and its legacy twin /api/prom/tail.
//
// What is wrong with the request is said in plain HTTP before the upgrade, except for a metric query, which
// Loki refuses with a close frame. docs/http_api.md, "Tail". Threads: thread-safe. Ownership: the context's
// engine and the hub must outlive this.
#pragma once

#include "http/message.h"
#include "http/read_call.h"
#include "http/router.h"
#include "http/tail_hub.h"

namespace varve {

class TailApi {
 public:
  TailApi(ReadContext context, TailHub* hub);

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  Result<HttpResponse> Tail(const HttpRequest& request, const std::string& tenant, bool legacy) const;

  const ReadContext context_;
  TailHub* const hub_;
};

}  // namespace varve
