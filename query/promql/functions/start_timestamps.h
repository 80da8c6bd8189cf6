// What start timestamps say about two neighbouring samples (prom_surface 4.6).
//
// Threads: pure functions.
#pragma once

#include <cstdint>

#include "engine/model/sample.h"

namespace varve::promql {

// Whether the counter began anew between two samples.
inline bool IsStartReset(int64_t previous_start_ms, int64_t previous_ms, int64_t start_ms, int64_t ts_ms) {
  if (start_ms == kNoStartMs || start_ms >= ts_ms) return false;  // unknown, or odd
  if (start_ms != previous_ms) return start_ms > previous_ms;
  // The start is the sample before: a delta counter, or a cumulative one whose start is not known. Only the former
  // had a start before.
  return previous_start_ms != kNoStartMs && previous_start_ms < previous_ms;
}

// Whether a start timestamp lies before the sample it should follow: the data is odd, and told so.
inline bool StartsOverlap(int64_t previous_start_ms, int64_t previous_ms, int64_t start_ms) {
  return start_ms != kNoStartMs && start_ms < previous_ms && start_ms != previous_start_ms;
}

}  // namespace varve::promql
