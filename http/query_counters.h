// What all queries together have done, for /metrics.
//
// Threads: thread-safe; relaxed counters, which publish nothing.
#pragma once

#include <atomic>
#include <cstdint>

#include "query/exec/query.h"

namespace varve {

struct QueryCounters {
  std::atomic<uint64_t> finished{0};  // with an answer
  std::atomic<uint64_t> failed{0};    // parsed, but failed while running
  std::atomic<uint64_t> lines{0};
  std::atomic<uint64_t> line_bytes{0};
  std::atomic<uint64_t> metadata_bytes{0};
  std::atomic<uint64_t> disk_bytes{0};
  std::atomic<uint64_t> sources{0};
  std::atomic<uint64_t> sources_loaded{0};
  std::atomic<uint64_t> entries_returned{0};

  void Count(const Result<QueryResult>& result) {
    if (!result.ok()) {
      Add(&failed, 1);
      return;
    }
    const QueryStats& stats = result.value().stats;
    Add(&finished, 1);
    Add(&lines, stats.lines_processed);
    Add(&line_bytes, stats.bytes_processed);
    Add(&metadata_bytes, stats.metadata_bytes_processed);
    Add(&disk_bytes, stats.bytes_on_disk_read);
    Add(&sources, stats.sources);
    Add(&sources_loaded, stats.sources_loaded);
    Add(&entries_returned, stats.entries_returned);
  }

 private:
  static void Add(std::atomic<uint64_t>* counter, uint64_t n) {
    counter->fetch_add(n, std::memory_order_relaxed);
  }
};

}  // namespace varve
