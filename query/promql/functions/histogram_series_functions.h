// histogram_quantile, histogram_quantiles and histogram_fraction: of native histograms, and of classic ones, whose
// buckets are series told apart by the label le (prom_surface 4.7).
//
// Threads: pure functions.
#pragma once

#include "query/promql/functions/series_functions.h"

namespace varve::promql {

Result<StepMatrix> HistogramQuantileOfSeries(const SeriesCall& call, std::vector<SeriesArgument>* args);
Result<StepMatrix> HistogramQuantilesOfSeries(const SeriesCall& call, std::vector<SeriesArgument>* args);
Result<StepMatrix> HistogramFractionOfSeries(const SeriesCall& call, std::vector<SeriesArgument>* args);

}  // namespace varve::promql
