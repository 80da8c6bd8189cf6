// Lines of the log stream {job="varve-alerts"}, from whoever must not wait until they are stored.
//
// Lines wait in memory, at most kLinesMax; beyond it new ones are dropped and counted. A kill -9 takes those of the last
// moment.
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/base/status.h"
#include "ingest/write_path.h"

namespace varve {

class EventLog {
 public:
  static constexpr size_t kLinesMax = 10'000;

  // `writes` must outlive this.
  explicit EventLog(WritePath* writes) : writes_(writes) {}
  void Add(std::string_view tenant, int64_t ts_ms, std::string line) VARVE_EXCLUDES(mu_);
  // Stores what waits. What cannot be stored stays, and the error says why.
  Status Flush() VARVE_EXCLUDES(mu_);
  // Lines that will not be stored: there were too many, or limits refused them.
  uint64_t dropped() const VARVE_EXCLUDES(mu_);

 private:
  using Lines = std::vector<std::pair<int64_t, std::string>>;

  WritePath* const writes_;
  mutable Mutex mu_;
  std::map<std::string, Lines, std::less<>> waiting_ VARVE_GUARDED_BY(mu_);  // by tenant
  size_t lines_ VARVE_GUARDED_BY(mu_) = 0;
  uint64_t dropped_ VARVE_GUARDED_BY(mu_) = 0;
};

}  // namespace varve
