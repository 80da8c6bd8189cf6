// What all PromQL queries and other readers of metrics together have done, for /metrics.
//
// Threads: thread-safe; relaxed counters, which publish nothing.
#pragma once

#include <atomic>
#include <cstdint>

namespace varve {

struct PromqlCounters {
  std::atomic<uint64_t> finished{0};   // with an answer
  std::atomic<uint64_t> refused{0};    // not PromQL, or with wrong parameters
  std::atomic<uint64_t> failed{0};     // while they ran
  std::atomic<uint64_t> timed_out{0};  // … because they took too long
  std::atomic<uint64_t> cancelled{0};  // … because they were told to
  std::atomic<uint64_t> samples{0};    // that evaluation looked at, as statistics count them
  std::atomic<uint64_t> series_returned{0};
  std::atomic<uint64_t> remote_reads{0};
  std::atomic<uint64_t> remote_read_samples{0};
  std::atomic<uint64_t> federated_samples{0};
  std::atomic<uint64_t> deleted_series_requests{0};

  static void Add(std::atomic<uint64_t>* counter, uint64_t n) {
    counter->fetch_add(n, std::memory_order_relaxed);
  }
};

}  // namespace varve
