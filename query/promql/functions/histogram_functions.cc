#include "query/promql/functions/histogram_functions.h"

#include <array>
#include <cmath>

#include "query/promql/functions/histogram_series_functions.h"
#include "query/promql/values/float_histogram.h"
#include "query/promql/values/histogram_quantile.h"

namespace varve::promql {
namespace {

// Floats give nothing.
template <double (*kFn)(const FloatHistogram&)>
Point OfHistogram(const ElementCall&, const Point& in) {
  return in.kind == PointKind::kHistogram ? Point::Float(kFn(*in.histogram)) : Point::None();
}

double Count(const FloatHistogram& h) { return h.count(); }
double Sum(const FloatHistogram& h) { return h.sum(); }
double Average(const FloatHistogram& h) { return h.sum() / h.count(); }
double Deviation(const FloatHistogram& h) { return std::sqrt(HistogramVariance(h)); }

// Ascending by name.
constexpr std::array kElementFunctions = {
    ElementFunction{"histogram_avg", OfHistogram<Average>},
    ElementFunction{"histogram_count", OfHistogram<Count>},
    ElementFunction{"histogram_stddev", OfHistogram<Deviation>},
    ElementFunction{"histogram_stdvar", OfHistogram<HistogramVariance>},
    ElementFunction{"histogram_sum", OfHistogram<Sum>},
};

constexpr std::array kSeriesFunctions = {
    SeriesFunction{"histogram_fraction", HistogramFractionOfSeries},
    SeriesFunction{"histogram_quantile", HistogramQuantileOfSeries},
    SeriesFunction{"histogram_quantiles", HistogramQuantilesOfSeries},
};

}  // namespace

std::span<const ElementFunction> HistogramElementFunctions() { return kElementFunctions; }
std::span<const SeriesFunction> HistogramSeriesFunctions() { return kSeriesFunctions; }

}  // namespace varve::promql
