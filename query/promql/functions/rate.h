// rate, increase, delta, irate and idelta (prom_surface 4.6).
//
// Threads: pure functions.
#pragma once

#include <cstdint>

#include "engine/model/sample.h"
#include "query/promql/functions/range_functions.h"

namespace varve::promql {

struct RateTraits {
  bool counter = true;      // resets are made good and the zero point limits extrapolation
  bool per_second = false;
};

// The end of a rate of floats (at least one): extrapolates `increase`, from the first to the last sample with resets
// made good, to the whole window. False: no result.
bool FinishFloatRate(const RangeWindow& window, RateTraits traits, double increase, double* out);

// 4.5 s is 4 + 0.5, as Go's Duration.Seconds: the quotient may differ in the last bit.
double Seconds(int64_t ms);

bool FloatRate(const RangeCall& call, const RangeWindow& window, double* out);
bool FloatIncrease(const RangeCall& call, const RangeWindow& window, double* out);
bool FloatDelta(const RangeCall& call, const RangeWindow& window, double* out);
bool FloatIrate(const RangeCall& call, const RangeWindow& window, double* out);
bool FloatIdelta(const RangeCall& call, const RangeWindow& window, double* out);

Result<Point> Rate(const RangeCall& call, const RangeWindow& window);
Result<Point> Increase(const RangeCall& call, const RangeWindow& window);
Result<Point> Delta(const RangeCall& call, const RangeWindow& window);
Result<Point> Irate(const RangeCall& call, const RangeWindow& window);
Result<Point> Idelta(const RangeCall& call, const RangeWindow& window);

}  // namespace varve::promql
