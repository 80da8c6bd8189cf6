// GET /loki/api/v1/patterns: what kinds of lines a selector has, and when (Logs Drilldown's "Patterns").
//
// Mined from what is stored, see query/patterns/pattern_query.h; the answer's form is Loki's.
// Threads: thread-safe. Ownership: the context's engine and clock must outlive this.
#pragma once

#include "http/message.h"
#include "http/read_call.h"
#include "http/router.h"

namespace varve {

class PatternsApi {
 public:
  explicit PatternsApi(ReadContext context);

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  Result<HttpResponse> Patterns(const ReadCall& call) const;

  const ReadContext context_;
};

}  // namespace varve
