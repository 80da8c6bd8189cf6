// Numbers, durations and string literals as PromQL writes them, in both directions.
//
// Rules and error texts are those of Go's strconv and of Prometheus's common/model, without any "parse error" in
// front. Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace varve::promql {

// The text of a number token: Go's integer forms first (010 is 8, 0x1F, 1_000), then floats (08 is 8, 1e3, Inf).
// kInvalidArgument: `strconv.ParseFloat: parsing "1e309": value out of range`, `…"0x": invalid syntax`.
Result<double> ParseNumber(std::string_view text);
// `1h30m` in nanoseconds; units in descending order, each once. kInvalidArgument: `empty duration string`,
// `not a valid duration string: "5m1h"`, `unknown unit "x" in duration "5x"`, `duration out of range`.
Result<int64_t> ParseDurationNs(std::string_view text);
// The value of a quoted string with its quotes; escapes as in Go.
Result<std::string> Unquote(std::string_view quoted);

// `1d12h`, `0s`; whole weeks and years only where nothing remains.
void AppendDuration(std::string* out, int64_t ms);
// The shortest digits that read back the same, never with an exponent; `+Inf`, `-Inf`, `NaN`.
void AppendPlainNumber(std::string* out, double value);
// Go's %v and %g: as above, with an exponent where that is below -4 or above 5.
void AppendGoNumber(std::string* out, double value);
// As Go's JSON has it: with an exponent where that is below -6 or above 20. `value` is finite.
void AppendGoJsonNumber(std::string* out, double value);
// A character in single quotes, as Go's %q.
std::string QuotedRune(int32_t rune);

// The character that begins at `at`: bytes that are not UTF-8 give 0xFFFD and width 1, the end gives -1 and width 0.
struct DecodedRune {
  int32_t rune = -1;
  int32_t width = 0;
};
DecodedRune DecodeRune(std::string_view text, size_t at);
void AppendRune(std::string* out, uint32_t rune);
bool IsValidUtf8(std::string_view text);

}  // namespace varve::promql
