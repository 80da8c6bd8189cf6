// Which series, labels and metrics there are: series, labels, label values, metadata.
//
// Threads: thread-safe. Ownership: the context must outlive this.
#pragma once

#include "http/prometheus_call.h"

namespace varve {

class PrometheusLabelApi {
 public:
  explicit PrometheusLabelApi(const PrometheusContext* context) : context_(*context) {}

  void AddRoutes(Router* router);

 private:
  const PrometheusContext& context_;
};

}  // namespace varve
