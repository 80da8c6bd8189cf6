// Quantiles and fractions of one histogram, native or classic (prom_surface 4.7).
//
// Threads: pure functions.
#pragma once

#include <span>
#include <vector>

#include "query/promql/values/float_histogram.h"

namespace varve::promql {

// Observations that were NaN are in the count but in no bucket.
enum class NanNote {
  kNone,
  kResultIsNan,   // quantile: it lies among them
  kSkewedHigher,  // quantile: they count as the highest
  kExcluded,      // fraction: they are in no fraction
};

struct NativeEstimate {
  double value = 0;
  NanNote nan = NanNote::kNone;
};

NativeEstimate HistogramQuantile(double q, const FloatHistogram& h);
// Of the observations between `lower` and `upper`.
NativeEstimate HistogramFraction(double lower, double upper, const FloatHistogram& h);
// The mean squared distance from the mean, every observation at the middle of its bucket.
double HistogramVariance(const FloatHistogram& h);

// A bucket of a classic histogram: `count` observations at or below `upper`.
struct ClassicBucket {
  double upper = 0;
  double count = 0;
};

// Counts that fell with rising bounds were raised; what is known about them.
struct MonotonicityFix {
  bool forced = false;
  double min_bound = 0;
  double max_bound = 0;
  double max_diff = 0;
};

// Both sort and change `buckets`, which is not empty.
double ClassicQuantile(double q, std::vector<ClassicBucket>* buckets, MonotonicityFix* fix);
double ClassicFraction(double lower, double upper, std::vector<ClassicBucket>* buckets);

}  // namespace varve::promql
