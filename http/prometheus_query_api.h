// PromQL over HTTP: query, query_range, query_exemplars, format_query, parse_query.
//
// Threads: thread-safe. Ownership: the context must outlive this.
#pragma once

#include "http/prometheus_call.h"
#include "http/prometheus_params.h"
#include "query/promql/eval/query.h"

namespace varve {

class PrometheusQueryApi {
 public:
  explicit PrometheusQueryApi(const PrometheusContext* context) : context_(*context) {}

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  // What both kinds of queries are asked with beside their times.
  struct Common {
    size_t limit = 0;
    int64_t timeout_ms = 0;
    int64_t lookback_ms = 0;
  };
  Result<HttpResponse> QueryInstant(const PromCall& call) const;
  Result<HttpResponse> QueryRange(const PromCall& call) const;
  Result<HttpResponse> QueryExemplars(const PromCall& call) const;
  Status ParseTimeoutAndLookback(const PromCall& call, Common* common) const;
  Result<HttpResponse> Run(const PromCall& call, promql::QueryRequest request, const Common& common) const;
  Result<promql::QueryResult> Evaluate(const PromCall& call, const promql::QueryRequest& request,
                                       int64_t timeout_ms) const;

  const PrometheusContext& context_;
};

}  // namespace varve
