// Options that the commands that ask a server have in common: where it is, who asks, and for what time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "tools/api_client.h"

namespace CLI {
class App;
}

namespace varve {

// --addr (or VARVE_ADDR) and --tenant.
void AddServerOptions(CLI::App* command, ServerAddress* address);

// --since, or --from and --to.
struct TimeOptions {
  std::string since;
  std::string from;
  std::string to;

  bool given() const { return !since.empty() || !from.empty() || !to.empty(); }
  // [from, to). What is not given: to = now, from = to - `since_default_ns`.
  Result<TimeRange> Resolve(int64_t now_ns, int64_t since_default_ns) const;
};
void AddTimeOptions(CLI::App* command, TimeOptions* times);

// "start" and "end" in nanoseconds.
void AppendTimeParameters(const TimeRange& range, ApiClient::Parameters* parameters);

}  // namespace varve
