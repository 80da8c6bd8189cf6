// Named places where a test makes the process die, as `kill -9` would, or pause.
//
// VARVE_KILL_POINT("after_ingest_before_commit") does nothing unless the environment variable
// VARVE_KILL_POINT names it (optionally "name:n" for the n-th passage); then the process exits at once
// with status 137, without running destructors. Compiled into every build: a passage costs one
// predictable branch on a constant.
// Threads: thread-safe.
#pragma once

#include <string_view>

namespace varve {

// True when VARVE_KILL_POINT was set at start.
extern const bool kKillPointsArmed;
void PassKillPoint(std::string_view name);

}  // namespace varve

#define VARVE_KILL_POINT(name)                                        \
  do {                                                                \
    if (::varve::kKillPointsArmed) [[unlikely]] ::varve::PassKillPoint(name); \
  } while (false)
