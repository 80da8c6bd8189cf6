// rate, increase and delta of anchored and smoothed windows: from the value at one end of the range to that at the
// other, without extrapolation (prom_surface 4.3).
//
// Threads: pure functions.
#pragma once

#include "query/promql/functions/rate.h"

namespace varve::promql {

// `window` has floats. False: no result.
bool ExtendedFloatRate(const RangeWindow& window, RateTraits traits, double* out);

}  // namespace varve::promql
