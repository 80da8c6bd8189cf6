// Loki's push API: POST /loki/api/v1/push and its older alias.
//
// What a body may hold and what is answered: docs/http_api.md, "Push"; all of it is decided by WritePath.
// Threads: thread-safe. Ownership: `writes` must outlive this.
#pragma once

#include "http/message.h"
#include "http/router.h"
#include "ingest/write_path.h"

namespace varve {

class PushApi {
 public:
  PushApi(WritePath* writes, bool auth_enabled);

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  HttpResponse Push(const HttpRequest& request, bool legacy) const;

  WritePath* const writes_;
  const bool auth_enabled_;
};

}  // namespace varve
