// The parameters of Prometheus's HTTP API: times, durations, limits, with its rules and texts.
//
// Errors: kInvalidArgument, with the text that Prometheus puts behind `invalid parameter "x": `.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/rfc3339.h"
#include "engine/base/status.h"
#include "http/form.h"

namespace varve {

// The ends of what Prometheus takes for a time; far enough from int64's own that windows and offsets can be
// added to them.
inline constexpr int64_t kPromTimeMinMs = -9223309901257974000;
inline constexpr int64_t kPromTimeMaxMs = 9223309901257974999;

// Go's strconv.ParseFloat: also hexadecimal floats, underscores between digits, Inf and NaN in any case.
std::optional<double> ParseGoFloat64(std::string_view text);

// Float seconds (to the millisecond) or RFC 3339; times out of range are moved to the ends.
// `cannot parse "x" to a valid timestamp`.
Result<UnixTime> ParsePromTime(std::string_view value);
int64_t ToMillis(const UnixTime& time);  // rounded down
UnixTime FromMillis(int64_t millis);

// Float seconds or `1h30m`, in nanoseconds. `cannot parse "x" to a valid duration`.
Result<int64_t> ParsePromDurationNs(std::string_view value);

// A number of results; 0: no limit. `limit must be non-negative`, `strconv.Atoi: parsing "x": invalid syntax`.
Result<size_t> ParsePromLimit(std::string_view value);
// Go's strconv.Atoi.
Result<int64_t> ParseGoAtoi(std::string_view value);

// start and end of a listing, milliseconds; everything when absent. The error begins with `invalid parameter`.
struct PromBounds {
  int64_t start_ms = kPromTimeMinMs;
  int64_t end_ms = kPromTimeMaxMs;
};
Result<PromBounds> ParsePromBounds(const FormParams& params);

// `invalid parameter "name": ` in front.
Status InvalidParameter(std::string_view name, std::string_view reason);

// A name that came escaped, `U__my_2e_label`, as it was before; any other, and what cannot be unescaped, as it is.
std::string UnescapeName(std::string_view name);

}  // namespace varve
