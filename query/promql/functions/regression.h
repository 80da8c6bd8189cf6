// deriv, predict_linear and double_exponential_smoothing: lines and trends through a window's floats.
//
// Threads: pure functions.
#pragma once

#include "query/promql/functions/range_functions.h"

namespace varve::promql {

bool FloatDeriv(const RangeCall& call, const RangeWindow& window, double* out);
bool FloatPredictLinear(const RangeCall& call, const RangeWindow& window, double* out);
// kExecution: a factor outside (0, 1).
Result<Point> DoubleExponentialSmoothing(const RangeCall& call, const RangeWindow& window);

}  // namespace varve::promql
