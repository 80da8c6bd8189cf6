// What Prometheus says of itself: status, targets, health. Varve does not scrape: targets are empty, and well-formed.
//
// Threads: thread-safe. Ownership: the context must outlive this.
#pragma once

#include <functional>
#include <string>

#include "http/prometheus_call.h"

namespace varve {

class PrometheusStatusApi {
 public:
  // `config_yaml`: the configuration in effect.
  PrometheusStatusApi(const PrometheusContext* context, std::function<std::string()> config_yaml);

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  Result<HttpResponse> RuntimeInfo() const;
  Result<HttpResponse> Flags() const;
  Result<HttpResponse> Features() const;
  Result<HttpResponse> Tsdb(const PromCall& call) const;
  void AddTargetRoutes(Router* router);
  void AddHealthRoutes(Router* router);

  const PrometheusContext& context_;
  const std::function<std::string()> config_yaml_;
  const int64_t started_ns_;
};

}  // namespace varve
