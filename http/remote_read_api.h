// POST /api/v1/read: Prometheus's remote read, as samples or as a stream of chunks.
//
// The stream is made while it is sent, a few hundred kilobytes at a time; its snapshot holds still meanwhile.
// Threads: thread-safe. Ownership: the context must outlive this and the answers.
#pragma once

#include "http/prometheus_call.h"
#include "http/query_gate.h"
#include "http/remote_read_message.h"

namespace varve {

class RemoteReadApi {
 public:
  explicit RemoteReadApi(const PrometheusContext* context)
      : context_(*context), gate_(context->options.read_concurrency_max) {}

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  HttpResponse Read(const PromCall& call);
  Result<HttpResponse> ReadSamples(const PromCall& call, const RemoteReadRequest& request);
  Result<HttpResponse> ReadChunks(const PromCall& call, RemoteReadRequest request);

  const PrometheusContext& context_;
  QueryGate gate_;
};

}  // namespace varve
