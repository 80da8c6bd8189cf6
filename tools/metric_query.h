// The PromQL half of `varve query`.
//
// Threads: thread-compatible.
#pragma once

#include <string>

#include "engine/base/status.h"
#include "tools/api_client.h"
#include "tools/client_options.h"
#include "tools/metric_output.h"

namespace varve {

struct MetricQueryOptions {
  ServerAddress address;
  TimeOptions times;
  std::string query;
  std::string at;    // "" = now, unless there is a range
  std::string step;  // "" = chosen
  bool metric_api = true;  // false: a LogQL metric query, asked of Loki's API
  MetricOutput output;
  bool format_given = false;  // else what output.format is on a terminal depends on the answer
  bool terminal = false;
};

Status RunMetricQuery(MetricQueryOptions options);

// Seconds, with as many decimals as it takes.
std::string SecondsText(int64_t t_ns);

}  // namespace varve
