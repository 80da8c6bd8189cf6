// SHA-256 (FIPS 180-4), for keys that others limit in length.
//
// Threads: pure function.
#pragma once

#include <string>
#include <string_view>

namespace varve {

// 64 hex digits.
std::string Sha256Hex(std::string_view text);

}  // namespace varve
