// One decoded push request on its way into the engine.
//
// Ownership: entries are views into buffers that the caller keeps alive until Append returns.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/model/log_entry.h"

namespace varve {

// A stream's dense number in this process, from Engine::InternStream. Never reused, never stored.
using StreamOrdinal = uint32_t;
using TenantId = uint32_t;

struct AppendBatch {
  struct StreamEntries {
    StreamOrdinal stream = 0;
    uint32_t begin = 0;  // into `entries`
    uint32_t count = 0;
  };

  std::vector<StreamEntries> streams;
  std::vector<LogEntryView> entries;  // each stream's in order of arrival

  void Clear() {
    streams.clear();
    entries.clear();
  }
};

}  // namespace varve
