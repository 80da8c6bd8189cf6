// OTLP's push of logs: POST /otlp/v1/logs.
//
// What a body may hold and what is answered: docs/http_api.md, "OTLP"; all of it is decided by WritePath.
// Threads: thread-safe. Ownership: `writes` must outlive this.
#pragma once

#include "http/message.h"
#include "http/router.h"
#include "ingest/write_path.h"

namespace varve {

class OtlpApi {
 public:
  OtlpApi(WritePath* writes, bool auth_enabled);

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  HttpResponse Push(const HttpRequest& request) const;

  WritePath* const writes_;
  const bool auth_enabled_;
};

}  // namespace varve
