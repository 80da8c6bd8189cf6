// The functions of native and classic histograms, for the lookups of element_functions.h and series_functions.h.
//
// histogram_count, _sum, _avg, _stddev, _stdvar are element functions; histogram_quantile, _quantiles and _fraction
// need the labels of all elements.
// Threads: constant tables of pure functions.
#pragma once

#include <span>

#include "query/promql/functions/element_functions.h"
#include "query/promql/functions/series_functions.h"

namespace varve::promql {

std::span<const ElementFunction> HistogramElementFunctions();
std::span<const SeriesFunction> HistogramSeriesFunctions();

}  // namespace varve::promql
