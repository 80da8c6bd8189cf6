#include "query/exec/step_grid.h"

#include <algorithm>

namespace varve {
namespace {

Status OutOfTime() {
  return InvalidArgument("the query's time range, range and offset exceed representable time");
}

// Where no limit is configured.
constexpr uint32_t kPointsMax = 1'000'000;

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// The last interval may reach beyond the last window, and beyond representable time.
int64_t AddClamped(int64_t a, int64_t b) {
  int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

}  // namespace

Result<StepGrid> StepGrid::Create(const QueryRequest& request, uint32_t points_max) {
  if (request.instant) return StepGrid{request.start_ns, 0, 1};
  if (request.step_ns <= 0) {
    return InvalidArgument(
        "zero or negative query resolution step widths are not accepted. Try a positive integer");
  }
  if (request.end_ns < request.start_ns) {
    return InvalidArgument("end timestamp must not be before or equal to start time");
  }
  const int64_t step = request.step_ns;
  // Steps before the start and behind the end, as multiples of the step: both fit, being quotients.
  const int64_t first = FloorDivide(request.start_ns, step);
  const int64_t last = FloorDivide(request.end_ns, step) + (request.end_ns % step != 0 ? 1 : 0);
  const uint64_t intervals = static_cast<uint64_t>(last) - static_cast<uint64_t>(first);
  // Rounding adds up to two steps to what was asked for, and the limit is on what was asked for.
  const uint64_t asked = (static_cast<uint64_t>(request.end_ns) - static_cast<uint64_t>(request.start_ns)) /
                         static_cast<uint64_t>(step);
  if (asked > (points_max == 0 ? kPointsMax : points_max)) {
    return InvalidArgument(
        "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step "
        "parameter");
  }
  StepGrid grid;
  grid.step_ns = step;
  grid.count = static_cast<uint32_t>(intervals + 1);
  int64_t end_ns = 0;
  if (__builtin_mul_overflow(first, step, &grid.first_ns) || __builtin_mul_overflow(last, step, &end_ns)) {
    return OutOfTime();
  }
  return grid;
}

Result<WindowGrid> WindowGrid::Create(const StepGrid& steps, int64_t range_ns, int64_t offset_ns) {
  if (range_ns <= 0) return InvalidArgument("the range of a range aggregation must be positive");
  WindowGrid grid;
  grid.step_ns_ = steps.step_ns;
  grid.range_ns_ = range_ns;
  grid.step_count_ = steps.count;
  int64_t upper = 0;
  int64_t reach_ns = 0;
  if (__builtin_sub_overflow(steps.first_ns, offset_ns, &upper) ||
      __builtin_sub_overflow(upper, range_ns, &grid.lowest_ns_) ||
      __builtin_sub_overflow(steps.TimeNs(steps.count - 1), offset_ns, &grid.highest_ns_) ||
      __builtin_sub_overflow(grid.highest_ns_, grid.lowest_ns_, &reach_ns) || grid.lowest_ns_ == INT64_MAX ||
      grid.highest_ns_ == INT64_MAX) {
    return OutOfTime();
  }
  const int64_t span_ns = static_cast<int64_t>(steps.count - 1) * steps.step_ns;
  if (range_ns >= span_ns) {
    grid.width_ = steps.count;
  } else {
    grid.shared_middle_ = false;
    grid.remainder_ns_ = range_ns % steps.step_ns;
    const auto whole_steps = static_cast<uint32_t>(range_ns / steps.step_ns);  // < steps.count
    grid.multiplier_ = grid.remainder_ns_ == 0 ? 1 : 2;
    grid.width_ = grid.remainder_ns_ == 0 ? whole_steps : 2 * whole_steps + 1;
  }
  grid.interval_count_ = grid.WindowEnd(steps.count - 1);
  return grid;
}

WindowGrid::Interval WindowGrid::Locate(int64_t ts_ns) const {
  if (shared_middle_) {
    const int64_t last_lower = LowerNs(step_count_ - 1);
    const int64_t first_upper = lowest_ns_ + range_ns_;
    if (ts_ns <= last_lower) {
      const int64_t i = (ts_ns - lowest_ns_ - 1) / step_ns_;
      return {static_cast<uint32_t>(i), AddClamped(lowest_ns_ + i * step_ns_, step_ns_)};
    }
    if (ts_ns <= first_upper) return {step_count_ - 1, first_upper};
    const int64_t i = (ts_ns - first_upper - 1) / step_ns_;
    return {step_count_ + static_cast<uint32_t>(i), AddClamped(first_upper + i * step_ns_, step_ns_)};
  }
  const int64_t distance = ts_ns - lowest_ns_ - 1;
  const int64_t i = distance / step_ns_;
  const int64_t within = distance - i * step_ns_;
  const int64_t base = lowest_ns_ + i * step_ns_;
  if (remainder_ns_ == 0) return {static_cast<uint32_t>(i), AddClamped(base, step_ns_)};
  if (within < remainder_ns_) return {static_cast<uint32_t>(2 * i), base + remainder_ns_};
  const bool gap = width_ == 1;
  return {gap ? kGap : static_cast<uint32_t>(2 * i + 1), AddClamped(base, step_ns_)};
}

WindowGrid::Steps WindowGrid::StepsOf(uint32_t interval) const {
  Steps steps;
  steps.first = interval < width_ ? 0 : (interval - width_) / multiplier_ + 1;
  steps.last = std::min(step_count_ - 1, interval / multiplier_);
  return steps;
}

}  // namespace varve
