// Doubles as Go's fmt prints them, for texts that must be Prometheus's to the letter.
//
// Threads: pure functions.
#pragma once

#include <string>

namespace varve::promql {

// %g: 0.25, 100000, 1e+06, +Inf, NaN.
std::string GoGText(double value);
// %f: six digits behind the point.
std::string GoFText(double value);
// %v: exponents from 1e+21 on only.
std::string GoVText(double value);

}  // namespace varve::promql
