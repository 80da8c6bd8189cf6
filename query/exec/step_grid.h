// The evaluation times of a metric query, and the cutting of time into elementary intervals.
//
// A range aggregation looks at one window (t - range - offset, t - offset] per step. The windows' edges cut
// time into *elementary intervals*, so that each row is counted once, in its interval, and each window is
// a run of consecutive intervals: overlapping windows cost nothing extra per row. For n steps there are at
// most 4n intervals, however long the range is:
//   range < (n-1)·step   two edges repeat every step (one, when the range is a multiple of the step);
//                        with range < step every second interval is a gap that no window covers
//   otherwise            n-1 lower edges, one long middle that all windows share, n-1 upper edges
// Either way the windows are the runs [multiplier·i, multiplier·i + width).
// Threads: immutable after construction.
#pragma once

#include <cstdint>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "query/exec/query.h"

namespace varve {

struct StepGrid {
  int64_t first_ns = 0;
  int64_t step_ns = 0;  // 0 when there is one step
  uint32_t count = 1;

  int64_t TimeNs(uint32_t step) const { return first_ns + static_cast<int64_t>(step) * step_ns; }

  // Instant: exactly the time asked for. Range: start rounded down and end rounded up to multiples of the
  // step since the epoch, both ends included, as Loki's query splitting does (conformance: step_alignment).
  // kInvalidArgument with Loki's text for a step that is not positive or too many points.
  static Result<StepGrid> Create(const QueryRequest& request, uint32_t points_max);
};

class WindowGrid {
 public:
  static constexpr uint32_t kGap = ~uint32_t{0};

  struct Interval {
    uint32_t index = kGap;  // kGap: no window holds these times
    int64_t last_ns = 0;    // the latest time of the interval
  };
  struct Steps {
    uint32_t first = 0, last = 0;  // both included
  };

  // kInvalidArgument when the windows leave the range of time stamps.
  static Result<WindowGrid> Create(const StepGrid& steps, int64_t range_ns, int64_t offset_ns);

  // Holds every entry that some window may hold.
  TimeRange scan_range() const { return {lowest_ns_ + 1, highest_ns_ + 1}; }
  uint32_t interval_count() const { return interval_count_; }
  uint32_t step_count() const { return step_count_; }

  // `ts_ns` must lie in scan_range().
  Interval Locate(int64_t ts_ns) const;

  // The window of a step is the intervals [WindowBegin, WindowEnd).
  uint32_t WindowBegin(uint32_t step) const { return multiplier_ * step; }
  uint32_t WindowEnd(uint32_t step) const { return multiplier_ * step + width_; }
  // The steps whose windows hold an interval.
  Steps StepsOf(uint32_t interval) const;
  // The open lower and the closed upper edge of a step's window.
  int64_t LowerNs(uint32_t step) const { return lowest_ns_ + static_cast<int64_t>(step) * step_ns_; }
  int64_t UpperNs(uint32_t step) const { return LowerNs(step) + range_ns_; }

 private:
  WindowGrid() = default;

  int64_t lowest_ns_ = 0;   // excluded
  int64_t highest_ns_ = 0;  // included
  int64_t step_ns_ = 0;
  int64_t range_ns_ = 0;
  int64_t remainder_ns_ = 0;  // range % step where edges repeat
  uint32_t step_count_ = 1;
  uint32_t interval_count_ = 1;
  uint32_t multiplier_ = 1;
  uint32_t width_ = 1;
  bool shared_middle_ = true;
};

}  // namespace varve
