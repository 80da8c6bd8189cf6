// Durations, byte sizes and numbers as LogQL writes them, in both directions.
//
// Two spellings of durations exist. Prometheus's (`1h30m`, `7d`; whole numbers, units in descending order,
// each once) is the only one inside `[…]`. Go's (`1.5s`, `300us`; fractions, any order, nothing above hours)
// is also taken in label filters and after `offset`.
// Durations are nanoseconds, sizes bytes. Errors carry the wording of the library Loki uses, without any
// "parse error" in front.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace varve::logql {

// "90s", "1h30m", "0". kInvalidArgument: `unknown unit "x" in duration "5x"`, `empty duration string`.
Result<int64_t> ParsePrometheusDuration(std::string_view text);
// "1.5h", "-20m", "2h45m0.5s". Nothing for what Go's time.ParseDuration refuses.
std::optional<int64_t> ParseGoDuration(std::string_view text);
// Either form, Prometheus's first.
std::optional<int64_t> ParseAnyDuration(std::string_view text);

// "5KB", "1.5MiB", "12B"; decimal and binary units up to P, case-insensitive, the B optional. Whole numbers
// are exact. Nothing for anything else, or beyond 2^64.
std::optional<uint64_t> ParseByteSize(std::string_view text);

// The text of a NUMBER token, decimal or 0x1.8p3; `_` may stand between digits.
// kInvalidArgument: `strconv.ParseFloat: parsing "1e999": value out of range`, `…"0x10": invalid syntax`.
Result<double> ParseNumber(std::string_view text);

// "1m30s", "1d", "1w": whole milliseconds only, ns below are dropped.
void AppendPrometheusDuration(std::string* out, int64_t ns);
// "1h0m0s", "1.5s", "300µs": what Go's Duration.String gives.
void AppendGoDuration(std::string* out, int64_t ns);
// "5.0kB", "12MB": two significant digits, so not the same size again. Only for people.
void AppendRoundedBytes(std::string* out, uint64_t bytes);
// The shortest digits that read back as the same number: "1000000", "0.001".
void AppendPlainNumber(std::string* out, double value);
// The same digits in Go's %v form: "1e+06", "0.001".
void AppendGoNumber(std::string* out, double value);
// "%f": six digits after the point.
void AppendFixedNumber(std::string* out, double value);

}  // namespace varve::logql
