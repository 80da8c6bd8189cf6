// What range functions do with windows of native histograms (prom_surface 4.6, 4.7). The functions of floats call
// these when a window has histograms and no floats.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "query/promql/functions/range_functions.h"
#include "query/promql/functions/rate.h"
#include "query/promql/values/float_histogram.h"
#include "query/promql/values/histogram_fold.h"

namespace varve::promql {

// rate, increase, delta of window.histograms (not empty), plain, anchored or smoothed. None with its annotations
// when there is no result.
Point HistogramRate(const RangeCall& call, const RangeWindow& window, RateTraits traits);

// One of the last two samples of a window.
struct InstantSample {
  int64_t ts_ms = 0;
  int64_t start_ms = 0;
  FloatHistogramPtr histogram;
};
// irate (per second of a counter) and idelta of two histograms of different times.
Point HistogramInstantDelta(const RangeCall& call, const InstantSample& first, const InstantSample& second,
                            RateTraits traits);

// sum_over_time and avg_over_time of window.histograms (not empty).
Point HistogramOverTime(const RangeCall& call, const RangeWindow& window, HistogramFold::Kind kind);

// How a smoothed selector gets the histogram at `ts_ms` between two samples; null: they do not go together, and
// `notes` has the warning.
FloatHistogramPtr InterpolateHistograms(const HistogramPoint& before, const HistogramPoint& after, int64_t ts_ms,
                                        bool is_counter, std::string_view metric_name, PositionRange pos,
                                        Annotations* notes);

}  // namespace varve::promql
