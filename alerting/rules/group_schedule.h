// When a group is evaluated: its slots, which to do next, and which are given up.
//
// Slots lie at k × interval + offset, offset = hash mod interval, so that groups are spread over their interval and a
// restart evaluates at the times it would have without. After a stop the slots that were missed are made up in
// order; otherwise a group that is late by an interval or more goes on with the latest slot, as in Prometheus.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <optional>

namespace varve {

class GroupSchedule {
 public:
  GroupSchedule() = default;
  GroupSchedule(int64_t interval_ms, uint64_t hash);

  // The slot at or before `ms`.
  int64_t SlotAtOrBefore(int64_t ms) const;
  // Starts at `now_ms`: with the slots after `last_ms` (none: it was never evaluated) that are not older than
  // `catch_up_max_ms`, not before now + wait_ms. Returns how many are given up.
  uint64_t Begin(std::optional<int64_t> last_ms, int64_t now_ms, int64_t catch_up_max_ms, int64_t wait_ms);
  // The slot next_ms() is done. Returns how many are given up.
  uint64_t Advance(int64_t now_ms);

  int64_t interval_ms() const { return interval_ms_; }
  int64_t next_ms() const { return next_ms_; }
  // When to do it.
  int64_t due_ms() const { return next_ms_ > not_before_ms_ ? next_ms_ : not_before_ms_; }
  bool catching_up() const { return catching_up_; }
  // Whether next_ms() is the latest slot at `now_ms`.
  bool IsLatest(int64_t now_ms) const { return next_ms_ + interval_ms_ > now_ms; }

 private:
  uint64_t SkipTo(int64_t now_ms);

  int64_t interval_ms_ = 1;
  int64_t offset_ms_ = 0;
  int64_t next_ms_ = 0;
  int64_t not_before_ms_ = INT64_MIN;
  bool catching_up_ = false;
  int64_t first_lag_ms_ = 0;  // when catching up began
};

}  // namespace varve
