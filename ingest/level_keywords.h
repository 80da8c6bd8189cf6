// Finding a log level word in a line: the kernel of level detection, run over nearly every line.
//
// A position is a candidate when the three bytes there begin one of the words; SIMD finds candidates, scalar
// code judges the few there are. A scalar twin gives the same answers and serves as their test.
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace varve {

// Order and numbers are stored nowhere; names are (LevelName).
enum class Level : uint8_t { kUnknown, kTrace, kDebug, kInfo, kWarn, kError, kCritical, kFatal };
inline constexpr int kLevelCount = 8;

// The leftmost of trace, debug, fatal, critical, error, err, warning, warn, info (ASCII case ignored) that
// stands between word boundaries; kUnknown when there is none.
//   left:  the start, or one of  space tab newline [ ( { " =
//   right: the end, or one of    space tab newline [ ] ( ) { } : , ! " =
Level FindLevelKeyword(std::string_view line);

// Whether the line contains lev, lvl or sev (ASCII case ignored): without one of them no field of it can be
// named level, lvl, severity…
bool MayNameLevelField(std::string_view line);

// The twins.
Level FindLevelKeywordScalar(std::string_view line);
bool MayNameLevelFieldScalar(std::string_view line);

}  // namespace varve
