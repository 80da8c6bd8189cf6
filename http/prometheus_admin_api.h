// /api/v1/admin/tsdb: delete_series, clean_tombstones, snapshot. Off unless prometheus.enable_admin_api.
//
// Threads: thread-safe. Ownership: the context must outlive this.
#pragma once

#include "http/prometheus_call.h"

namespace varve {

class PrometheusAdminApi {
 public:
  explicit PrometheusAdminApi(const PrometheusContext* context) : context_(*context) {}

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  Result<HttpResponse> DeleteSeries(const PromCall& call) const;
  Result<HttpResponse> Snapshot() const;
  Result<HttpResponse> CleanTombstones() const;

  const PrometheusContext& context_;
};

}  // namespace varve
