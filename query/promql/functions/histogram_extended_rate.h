// rate, increase and delta of anchored and smoothed windows of native histograms; see extended_rate.h.
//
// Threads: pure functions.
#pragma once

#include "query/promql/functions/rate.h"

namespace varve::promql {

// `window` has histograms. None: no result, its annotations made.
Point ExtendedHistogramRate(const RangeCall& call, const RangeWindow& window, RateTraits traits);

}  // namespace varve::promql
