// Points in time as people write them on the command line, and as we print them back.
//
//   "now", "-15m" (before now), "2026-11-01", "2026-11-01 06:30[:15[.25]]" (local time),
//   "2026-11-01T06:30:00Z" or with an offset, and Unix seconds, milliseconds, microseconds or
//   nanoseconds, told apart by their size.
// Errors: kInvalidArgument naming the text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace varve {

Result<int64_t> ParseTime(std::string_view text, int64_t now_ns);

// "2026-11-01 06:30:15.250" in the process's time zone.
std::string FormatLocalTime(int64_t t_ns);
// "2026-11-01T06:30:15.250000000Z": sorts as it reads, loses nothing.
std::string FormatUtcTime(int64_t t_ns);

}  // namespace varve
