// What bounds live tails. docs/operations.md has the keys.
#pragma once

#include <cstdint>

namespace varve {

struct TailOptions {
  int64_t duration_max_ms = 3'600'000;  // querier.tail_max_duration; then the tail is closed
  int64_t memory_bytes = 64 << 20;      // querier.tail_memory, of all tails together
  int64_t backlog_bytes_max = 1 << 20;  // querier.tail_backlog_max, of what waits for one client
  int64_t slow_client_timeout_ms =
      10'000;  // querier.tail_slow_client_timeout: a client that takes nothing is cut
};

}  // namespace varve
