// How metrics come in: Prometheus remote write (POST /api/v1/write and /api/v1/push), OTLP
// (POST /api/v1/otlp/v1/metrics and /otlp/v1/metrics) and imports (POST /api/v1/import and /api/v1/import/prometheus).
//
// What a body may hold and what is answered: docs/prometheus_api.md, "Receiving"; all of it is decided by
// MetricWritePath.
// Threads: thread-safe. Ownership: `writes` must outlive this.
#pragma once

#include "http/message.h"
#include "http/router.h"
#include "ingest/metric_write_path.h"

namespace varve {

class RemoteWriteApi {
 public:
  RemoteWriteApi(MetricWritePath* writes, bool auth_enabled);

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  HttpResponse Write(const HttpRequest& request) const;
  HttpResponse Otlp(const HttpRequest& request) const;
  HttpResponse Import(const HttpRequest& request, MetricWire wire) const;

  MetricWritePath* const writes_;
  const bool auth_enabled_;
};

}  // namespace varve
