// Time as the engine counts it: nanoseconds since the Unix epoch for log entries, half-open ranges.
#pragma once

#include <cstdint>
#include <limits>

namespace varve {

inline constexpr int64_t kNsPerMs = 1'000'000;
inline constexpr int64_t kNsPerSecond = 1'000'000'000;
inline constexpr int64_t kNsPerHour = 3600 * kNsPerSecond;

// [begin_ns, end_ns): holds t when begin_ns <= t < end_ns.
struct TimeRange {
  int64_t begin_ns = std::numeric_limits<int64_t>::min();
  int64_t end_ns = std::numeric_limits<int64_t>::max();

  bool Contains(int64_t t_ns) const { return t_ns >= begin_ns && t_ns < end_ns; }
  // Whether the closed span [min_ns, max_ns] shares an instant with this range.
  bool OverlapsSpan(int64_t min_ns, int64_t max_ns) const { return max_ns >= begin_ns && min_ns < end_ns; }
  // Whether all of the closed span lies inside.
  bool CoversSpan(int64_t min_ns, int64_t max_ns) const { return min_ns >= begin_ns && max_ns < end_ns; }
  bool empty() const { return begin_ns >= end_ns; }
};

}  // namespace varve
