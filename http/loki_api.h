// Loki's read API: query_range, query, labels, label values, series, format_query, buildinfo.
//
// Parameters, limits and texts: docs/http_api.md, "Queries". Answers: loki_responses.h.
// Threads: thread-safe. Ownership: the context's engine and clock must outlive this.
#pragma once

#include "http/message.h"
#include "http/read_call.h"
#include "http/router.h"

namespace varve {

class LokiApi {
 public:
  explicit LokiApi(ReadContext context);

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  Result<HttpResponse> QueryRange(const ReadCall& call) const;
  Result<HttpResponse> QueryInstant(const ReadCall& call) const;
  Result<HttpResponse> LabelNames(const ReadCall& call) const;
  Result<HttpResponse> LabelValues(const ReadCall& call) const;
  Result<HttpResponse> Series(const ReadCall& call) const;
  Result<HttpResponse> FormatQuery(const ReadCall& call) const;

  const ReadContext context_;
};

}  // namespace varve
