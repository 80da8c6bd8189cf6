// varve push --metrics: files of metrics to a server's import endpoints.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "tools/api_client.h"

namespace varve {

struct PushMetricsOptions {
  ServerAddress address;
  std::vector<std::string> files;  // plain or gzip; "-": standard input
  std::string format = "auto";     // or json, openmetrics, prometheus
  uint32_t retries = 10;
};

// Prints what was pushed. kInvalidArgument when the server refused a part, which has been printed.
Status PushMetrics(const PushMetricsOptions& options);

}  // namespace varve
