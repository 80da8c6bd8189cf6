// Label values as durations, exactly as Go's time.ParseDuration reads them: "1h30m", "1.5s", "-3ms".
// Days and weeks are not among its units.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace varve::logql {

// Nanoseconds. False: `error` (may be null) says why in Go's words: `time: missing unit in duration "5"`.
bool ParseGoDuration(std::string_view text, int64_t* value_ns, std::string* error);

// Seconds as Go's Duration.Seconds: whole seconds plus the fraction, in that order of rounding.
double DurationSeconds(int64_t duration_ns);

}  // namespace varve::logql
