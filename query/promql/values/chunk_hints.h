// The counter reset hints that a reader of Prometheus's chunks sees, for whatever wants to answer as it does.
//
// Threads: pure functions.
#pragma once

#include "query/promql/values/float_histogram.h"

namespace varve::promql {

// Of a sample of a series whose sample before is `before` (null: none, or a float). Nothing is said of the first of a
// chunk, as the chunk before it may be gone; those behind it are known not to be resets. Gauges stay gauges.
CounterResetHint HintInChunk(const FloatHistogram* before, const FloatHistogram& next);

}  // namespace varve::promql
