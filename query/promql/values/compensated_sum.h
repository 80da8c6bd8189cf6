// Neumaier's sum: a sum with the part that rounding lost beside it, step for step as Prometheus computes it.
//
// Must be compiled without -ffast-math. On targets with fused multiply-add, callers that multiply into Add need
// -ffp-contract=off to get the same bits everywhere.
// Threads: a value type.
#pragma once

#include <cmath>

namespace varve::promql {

struct CompensatedSum {
  double sum = 0;
  double lost = 0;

  void Add(double x) {
    const double t = sum + x;
    if (std::isinf(t)) {
      lost = 0;
    } else if (std::fabs(sum) >= std::fabs(x)) {
      lost += (sum - t) + x;
    } else {
      lost += (x - t) + sum;
    }
    sum = t;
  }
  double Total() const { return std::isinf(sum) ? sum : sum + lost; }
};

}  // namespace varve::promql
