// Compensated summation, as PromQL's sums are taken (prom_surface 4.9).
//
// The build does not contract or reorder floating-point operations, on which this relies.
// Threads: pure functions.
#pragma once

#include <cmath>

namespace varve::promql {

// Adds `x` to `*sum`; what rounding lost gathers in `*lost`, to be added in the end. Nothing is lost at infinity.
inline void NeumaierAdd(double x, double* sum, double* lost) {
  const double total = *sum + x;
  if (std::isinf(total)) {
    *lost = 0;
  } else if (std::abs(*sum) >= std::abs(x)) {
    *lost += (*sum - total) + x;
  } else {
    *lost += (x - total) + *sum;
  }
  *sum = total;
}

}  // namespace varve::promql
