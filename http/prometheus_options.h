// What the Prometheus API can be told; each has a key in docs/operations.md.
#pragma once

#include <cstdint>
#include <string>

#include "query/promql/eval/query.h"

namespace varve {

struct PrometheusOptions {
  promql::PromqlOptions promql;
  uint32_t concurrency_max = 20;            // promql.max_concurrency; 0: no limit
  bool admin_api_enabled = false;           // prometheus.enable_admin_api
  std::string cors_origin = "*";            // prometheus.cors_origin; "" sends no CORS headers
  uint64_t read_samples_max = 50'000'000;   // prometheus.remote_read_sample_limit; 0: no limit
  uint32_t read_concurrency_max = 10;       // prometheus.remote_read_concurrent_limit; 0: no limit
  int64_t read_frame_bytes = 1 << 20;       // prometheus.remote_read_max_bytes_in_frame
};

}  // namespace varve
