// The parameters of Loki's read endpoints: times, steps, limits, directions, with Loki's rules and texts.
//
// Every parser takes the raw value ("" = the parameter is absent) and answers kInvalidArgument with exactly
// the text that Loki answers with (docs/http_api.md, "Queries").
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/status.h"
#include "http/form.h"
#include "query/exec/query.h"

namespace varve {

inline constexpr int64_t kDefaultSinceNs = kNsPerHour;
inline constexpr uint32_t kDefaultEntriesLimit = 100;

// With a '.', float seconds (rounded to milliseconds); an integer of at most 10 characters, seconds; a longer
// one, nanoseconds; else RFC 3339. Times that do not fit int64 nanoseconds are moved to its ends.
// `strconv.ParseInt: parsing "xx": invalid syntax`.
Result<int64_t> ParseTimeNs(std::string_view value, int64_t default_ns);

// Float seconds or a Prometheus duration. `cannot parse "xx" to a valid duration`.
Result<int64_t> ParseSecondsOrDurationNs(std::string_view value);

// `limit must be a positive value`; `strconv.Atoi: parsing "abc": invalid syntax`; `limit value 4294967296 is
// out of range [0, 4294967295]`, with the parameter's name.
Result<uint32_t> ParseLimit(std::string_view value, uint32_t default_limit = kDefaultEntriesLimit,
                            std::string_view name = "limit");

// Any case; `invalid direction 'sideways'`.
Result<Direction> ParseDirection(std::string_view value);

// start, end and since: `could not parse 'start' parameter: …`. Does not ask for start ≤ end.
struct TimeBounds {
  int64_t start_ns = 0;
  int64_t end_ns = 0;
};
Result<TimeBounds> ParseBounds(const FormParams& params, int64_t now_ns);

// What a range query is asked with, checked against each other: end before start, step ≤ 0, more than
// `max_points` steps, interval < 0.
struct RangeParams {
  TimeBounds bounds;
  uint32_t limit = 0;
  Direction direction = Direction::kBackward;
  int64_t step_ns = 0;
  int64_t interval_ns = 0;
};
Result<RangeParams> ParseRangeParams(const FormParams& params, int64_t now_ns, uint32_t max_points);

// `step`, or a 250th of the range in whole seconds (at least one) when absent; checked as above.
Result<int64_t> ParseStep(std::string_view value, const TimeBounds& bounds, uint32_t max_points);

// kInvalidArgument when the range is longer than limits.max_query_length or lies before
// limits.max_query_lookback; else clamps start to the look-back.
Status ApplyTimeLimits(const QueryLimits& limits, int64_t now_ns, TimeBounds* bounds);

}  // namespace varve
