// Label values as numbers, exactly as Go's strconv.ParseFloat reads them.
//
// Decimal and hexadecimal floats, "inf", "infinity" and "nan" in any case, digit separators ("1_000").
// Not the locale, not leading or trailing spaces, not hexadecimal integers ("0x10").
#pragma once

#include <string>
#include <string_view>

namespace varve::logql {

// False: `error` (may be null) says why in Go's words: `strconv.ParseFloat: parsing "abc": invalid syntax`.
bool ParseGoFloat(std::string_view text, double* value, std::string* error);

}  // namespace varve::logql
