// GET /loki/api/v1/context: the entries before and after one entry (Varve's own; Loki has no such endpoint).
//
// Parameters and answer: docs/http_api.md, "context"; the work: query/exec/context_query.h.
// Threads: thread-safe. Ownership: the context's engine and clock must outlive this.
#pragma once

#include "http/message.h"
#include "http/read_call.h"
#include "http/router.h"

namespace varve {

class ContextApi {
 public:
  explicit ContextApi(ReadContext context);

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  Result<HttpResponse> Context(const ReadCall& call) const;

  const ReadContext context_;
};

}  // namespace varve
