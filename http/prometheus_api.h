// All of Prometheus's HTTP API but its receiving half (remote_write_api.h): the endpoints' objects and what they
// share.
//
// Threads: thread-safe. Ownership: the engine must outlive this.
#pragma once

#include <functional>
#include <string>

#include "http/active_queries_api.h"
#include "http/federate_api.h"
#include "http/prometheus_admin_api.h"
#include "http/prometheus_call.h"
#include "http/prometheus_label_api.h"
#include "http/prometheus_query_api.h"
#include "http/prometheus_status_api.h"
#include "http/remote_read_api.h"

namespace varve {

class PrometheusApi {
 public:
  // `context.gate` and `context.counters` are set here.
  PrometheusApi(PrometheusContext context, std::function<std::string()> config_yaml);
  PrometheusApi(const PrometheusApi&) = delete;
  PrometheusApi& operator=(const PrometheusApi&) = delete;

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

  const PromqlCounters& counters() const { return counters_; }
  const QueryGate& gate() const { return gate_; }

 private:
  PromqlCounters counters_;
  QueryGate gate_;
  const PrometheusContext context_;
  PrometheusQueryApi query_;
  PrometheusLabelApi labels_;
  PrometheusStatusApi status_;
  PrometheusAdminApi admin_;
  FederateApi federate_;
  RemoteReadApi read_;
  ActiveQueriesApi active_;
};

}  // namespace varve
