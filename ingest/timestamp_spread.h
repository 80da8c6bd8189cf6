// limits.increment_duplicate_timestamp: different lines of one stream of a request that share a timestamp get
// one nanosecond more than the line before them, so that their order shows. Equal lines stay duplicates.
//
// The rule is Loki's: a line moves when its time is that of the line before it as that came or as that was
// moved. Only lines that are stored count, so a replay, which leaves the same lines out, moves the same ones.
// Threads: thread-compatible; one for each stream of a request.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "engine/model/log_entry.h"

namespace varve {

class TimestampSpread {
 public:
  explicit TimestampSpread(bool enabled) : enabled_(enabled) {}

  // The next line to be stored. Its text must live until the next call.
  void Apply(LogEntryView* entry) {
    if (!enabled_) return;
    const bool moves = seen_ && entry->line != last_line_ &&
                       (entry->ts_ns == came_ns_ || entry->ts_ns == stored_ns_) &&
                       stored_ns_ != std::numeric_limits<int64_t>::max();
    if (moves) {
      entry->ts_ns = stored_ns_ + 1;
    } else {
      came_ns_ = entry->ts_ns;
    }
    seen_ = true;
    stored_ns_ = entry->ts_ns;
    last_line_ = entry->line;
  }

 private:
  const bool enabled_;
  bool seen_ = false;
  int64_t came_ns_ = 0;
  int64_t stored_ns_ = 0;
  std::string_view last_line_;
};

}  // namespace varve
