// GET /api/v1/status/active_queries; DELETE …/{id}, or POST …/{id}/cancel, ends one. A tenant sees its own.
//
// Threads: thread-safe. Ownership: the context must outlive this.
#pragma once

#include "http/prometheus_call.h"

namespace varve {

class ActiveQueriesApi {
 public:
  explicit ActiveQueriesApi(const PrometheusContext* context) : context_(*context) {}

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  Result<HttpResponse> List(const PromCall& call) const;
  Result<HttpResponse> Cancel(const PromCall& call) const;

  const PrometheusContext& context_;
};

}  // namespace varve
