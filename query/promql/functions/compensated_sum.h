// A running sum with the part that rounding lost beside it (values/neumaier.h).
//
// Threads: a value type.
#pragma once

#include <cmath>

#include "query/promql/values/neumaier.h"

namespace varve::promql {

struct CompensatedSum {
  double sum = 0;
  double lost = 0;

  void Add(double x) { NeumaierAdd(x, &sum, &lost); }
  double Total() const { return std::isinf(sum) ? sum : sum + lost; }
};

}  // namespace varve::promql
