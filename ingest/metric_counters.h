// The counters behind MetricIngestStats.
//
// Threads: thread-safe; relaxed atomics, because they are only ever summed and shown.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "ingest/metric_stats.h"

namespace varve {

class MetricCounters {
 public:
  using Counter = std::atomic<uint64_t>;
  static void Bump(Counter* counter, uint64_t by) { counter->fetch_add(by, std::memory_order_relaxed); }

  Counter requests{0};
  Counter wire_bytes{0};
  Counter decoded_bytes{0};
  Counter samples_received{0};
  Counter histograms_received{0};
  Counter exemplars_received{0};
  Counter samples_written{0};
  Counter histograms_written{0};
  Counter exemplars_written{0};
  std::array<Counter, static_cast<size_t>(MetricDiscardReason::kCount)> discarded{};

  MetricIngestStats Read() const {
    const auto get = [](const Counter& counter) { return counter.load(std::memory_order_relaxed); };
    MetricIngestStats stats;
    stats.requests = get(requests);
    stats.wire_bytes = get(wire_bytes);
    stats.decoded_bytes = get(decoded_bytes);
    stats.samples_received = get(samples_received);
    stats.histograms_received = get(histograms_received);
    stats.exemplars_received = get(exemplars_received);
    stats.samples_written = get(samples_written);
    stats.histograms_written = get(histograms_written);
    stats.exemplars_written = get(exemplars_written);
    for (size_t i = 0; i < discarded.size(); ++i) stats.discarded[i] = get(discarded[i]);
    return stats;
  }
};

}  // namespace varve
