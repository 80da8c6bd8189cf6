#include "http/prometheus_api.h"

#include <utility>

namespace varve {
namespace {

PrometheusContext Completed(PrometheusContext context, QueryGate* gate, PromqlCounters* counters) {
  context.gate = gate;
  context.counters = counters;
  return context;
}

}  // namespace

PrometheusApi::PrometheusApi(PrometheusContext context, std::function<std::string()> config_yaml)
    : gate_(context.options.concurrency_max),
      context_(Completed(std::move(context), &gate_, &counters_)),
      query_(&context_),
      labels_(&context_),
      status_(&context_, std::move(config_yaml)),
      admin_(&context_),
      federate_(&context_),
      read_(&context_),
      active_(&context_) {}

void PrometheusApi::AddRoutes(Router* router) {
  query_.AddRoutes(router);
  labels_.AddRoutes(router);
  status_.AddRoutes(router);
  admin_.AddRoutes(router);
  federate_.AddRoutes(router);
  read_.AddRoutes(router);
  active_.AddRoutes(router);
}

}  // namespace varve
