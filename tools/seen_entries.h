// Which log entries a client has shown, so that it can ask again for the time they are from and show each
// once.
//
// Remembers those of the latest half minute (by their own time), at most kEntriesMax.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>

#include "engine/base/time.h"
#include "query/exec/query.h"

namespace varve {

class SeenEntries {
 public:
  static constexpr int64_t kOverlapNs = 30 * kNsPerSecond;
  static constexpr size_t kEntriesMax = 200'000;

  // Notes the entry. False: it was there, or is older than all that is asked for again.
  bool Add(const LabelPairs& labels, int64_t ts_ns, std::string_view line);

  // Where to ask from, after a loss of connection: late entries of the last half minute are found too. What
  // lies before the first entries that were shown is not: they were cut off there on purpose.
  int64_t resume_ns() const;
  bool empty() const { return newest_ns_ == std::numeric_limits<int64_t>::min(); }
  // The first answer is complete: what is older was not asked for.
  void SetFloor(int64_t ts_ns) { floor_ns_ = ts_ns; }

 private:
  std::map<int64_t, std::unordered_set<uint64_t>> by_time_;
  size_t count_ = 0;
  int64_t newest_ns_ = std::numeric_limits<int64_t>::min();
  int64_t forgotten_ns_ = std::numeric_limits<int64_t>::min();  // the latest of those that had to go
  int64_t floor_ns_ = std::numeric_limits<int64_t>::min();
};

}  // namespace varve
