// Times in text, as RFC 3339 has them and as Go's time.Parse reads them.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace varve {

struct UnixTime {
  int64_t seconds = 0;  // since 1970, rounded down
  int32_t ns = 0;       // [0, 1e9)
  auto operator<=>(const UnixTime&) const = default;
};

// "2026-11-20T12:00:00.25+01:00"; any number of decimals, of which nine count. Nothing when it is not one.
std::optional<UnixTime> ParseRfc3339(std::string_view text);

}  // namespace varve
