// Appends JSON to a string, spelled as Loki spells it.
//
// Strings are escaped as Go's encoding/json does with HTML escaping on: < > & U+2028 U+2029 and control
// characters become \u00XX (\n \r \t short), and each byte that is not UTF-8 becomes \ufffd. Callers write
// punctuation themselves: there is no state, so that rows cost no more than their bytes.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace varve {

// `text` in quotes.
void AppendJsonString(std::string* out, std::string_view text);

// The shortest decimal that reads back as `value`, without exponent: Go's FormatFloat(v, 'f', -1, 64).
// NaN, +Inf, -Inf for the rest.
void AppendGoFloat(std::string* out, double value);

// A float as a JSON number; NaN and infinities, which JSON has no way to write, become 0.
void AppendJsonNumber(std::string* out, double value);

void AppendInt(std::string* out, int64_t value);
void AppendUint(std::string* out, uint64_t value);

// Milliseconds as seconds with up to three decimals: 1500 → 1.5
void AppendMillisAsSeconds(std::string* out, int64_t millis);

}  // namespace varve
