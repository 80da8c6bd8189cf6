// Native histograms as PromQL computes with them: all counts are doubles.
//
// Algorithms: prom_surface 4.7, 4.8. Operations follow Prometheus to the bit where its scripts can see it.
// Threads: a value type; results are shared as FloatHistogramPtr, immutable.
#pragma once

#include <memory>

#include "engine/model/native_histogram.h"

namespace varve::promql {

class FloatHistogram;
using FloatHistogramPtr = std::shared_ptr<const FloatHistogram>;

}  // namespace varve::promql
