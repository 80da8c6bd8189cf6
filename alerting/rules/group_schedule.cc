#include "alerting/rules/group_schedule.h"

#include <algorithm>

namespace varve {

GroupSchedule::GroupSchedule(int64_t interval_ms, uint64_t hash)
    : interval_ms_(std::max<int64_t>(interval_ms, 1)),
      offset_ms_(static_cast<int64_t>(hash % static_cast<uint64_t>(interval_ms_))) {}

int64_t GroupSchedule::SlotAtOrBefore(int64_t ms) const {
  const int64_t behind = (ms - offset_ms_) % interval_ms_;
  return ms - (behind < 0 ? behind + interval_ms_ : behind);
}

uint64_t GroupSchedule::SkipTo(int64_t now_ms) {
  if (next_ms_ + interval_ms_ > now_ms) return 0;
  const int64_t latest = SlotAtOrBefore(now_ms);
  const int64_t skipped = (latest - next_ms_) / interval_ms_;
  next_ms_ = latest;
  return static_cast<uint64_t>(skipped);
}

uint64_t GroupSchedule::Begin(std::optional<int64_t> last_ms, int64_t now_ms, int64_t catch_up_max_ms,
                              int64_t wait_ms) {
  catching_up_ = false;
  not_before_ms_ = INT64_MIN;
  // A last evaluation in the future: the clock was set back. Its times come again.
  if (!last_ms.has_value() || *last_ms > now_ms) {
    next_ms_ = SlotAtOrBefore(now_ms) + interval_ms_;
    return 0;
  }
  next_ms_ = SlotAtOrBefore(*last_ms) + interval_ms_;
  uint64_t given_up = 0;
  const int64_t oldest = now_ms - std::max<int64_t>(catch_up_max_ms, 0);
  if (next_ms_ < oldest) {
    const int64_t slots = (oldest - next_ms_ + interval_ms_ - 1) / interval_ms_;
    next_ms_ += slots * interval_ms_;
    given_up = static_cast<uint64_t>(slots);
  }
  not_before_ms_ = now_ms + wait_ms;
  first_lag_ms_ = not_before_ms_ - next_ms_;
  catching_up_ = next_ms_ <= not_before_ms_;
  return given_up;
}

uint64_t GroupSchedule::Advance(int64_t now_ms) {
  next_ms_ += interval_ms_;
  if (catching_up_ && next_ms_ > now_ms) catching_up_ = false;
  // It falls behind further instead of catching up: what it cannot do it leaves.
  if (catching_up_ && now_ms - next_ms_ > first_lag_ms_ + interval_ms_) catching_up_ = false;
  return catching_up_ ? 0 : SkipTo(now_ms);
}

}  // namespace varve
