// The quantile of a set of numbers, between two of them by their weighted mean.
//
// Threads: pure functions.
#pragma once

#include <span>

namespace varve::promql {

// Reorders `values`. NaN sorts first. NaN for no values or a NaN quantile, -Inf below 0, +Inf above 1.
double SampleQuantile(double quantile, std::span<double> values);

}  // namespace varve::promql
