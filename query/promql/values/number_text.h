// Floats as Go's fmt prints them, for texts that must be Prometheus's.
//
// Threads: pure functions.
#pragma once

#include <string>

namespace varve::promql {

// %g: the shortest digits that read back as `value`, with an exponent below 1e-4 and from 1e+06 on; NaN, +Inf, -Inf.
std::string GoG(double value);

// %.2g: two significant digits, with an exponent below 1e-4 and from 1e+02 on.
std::string GoG2(double value);

// As OpenMetrics writes a value of le or quantile: like %g, with a point or an exponent always; 1.0, 0.99, +Inf.
std::string GoOpenMetrics(double value);

}  // namespace varve::promql
