// /loki/api/v1/export: a log query's whole answer as JSON lines, streamed. Varve's own.
//
// No limit on the number of lines, and memory that does not grow with it. docs/http_api.md, "Export".
// Threads: thread-safe. Ownership: the context's engine and clock must outlive this.
#pragma once

#include "http/message.h"
#include "http/read_call.h"
#include "http/router.h"

namespace varve {

class ExportApi {
 public:
  explicit ExportApi(ReadContext context);

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  Result<HttpResponse> Export(const ReadCall& call) const;

  const ReadContext context_;
};

}  // namespace varve
