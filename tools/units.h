// Durations and byte sizes as people write them, in configuration files and on the command line.
//
//   durations: "1h30m", "1.5s", "250ms", "7d", "0"; units ns us µs ms s m h d w y (365 d)
//   sizes:     "512MB", "1.5GiB", "64k", "1048576"; powers of 1024, as in Loki's configuration
// Errors: kInvalidArgument naming the text and what was expected.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace varve {

// Nanoseconds. A minus sign is allowed; a bare number is refused, except 0.
Result<int64_t> ParseDuration(std::string_view text);
// The shortest exact form: "10m", "1h30m", "0s".
std::string FormatDuration(int64_t duration_ns);

Result<int64_t> ParseByteSize(std::string_view text);
// Exact: "512MB" when it divides evenly, else the largest unit that does.
std::string FormatByteSize(int64_t bytes);
// For people: "1.2 GB", three digits, powers of 1024.
std::string FormatByteSizeRounded(double bytes);

}  // namespace varve
