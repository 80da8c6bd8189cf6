// The *_over_time functions (prom_surface 4.4, 4.9).
//
// The float forms take windows that have a float; sums are compensated, in the samples' order.
// Threads: pure functions; quantiles keep scratch memory a thread.
#pragma once

#include "query/promql/functions/range_functions.h"

namespace varve::promql {

bool SumFloats(const RangeCall& call, const RangeWindow& window, double* out);
bool AvgFloats(const RangeCall& call, const RangeWindow& window, double* out);
bool MinFloats(const RangeCall& call, const RangeWindow& window, double* out);
bool MaxFloats(const RangeCall& call, const RangeWindow& window, double* out);
bool CountFloats(const RangeCall& call, const RangeWindow& window, double* out);
bool PresentFloats(const RangeCall& call, const RangeWindow& window, double* out);
bool FirstFloat(const RangeCall& call, const RangeWindow& window, double* out);
bool LastFloat(const RangeCall& call, const RangeWindow& window, double* out);
bool StddevFloats(const RangeCall& call, const RangeWindow& window, double* out);
bool StdvarFloats(const RangeCall& call, const RangeWindow& window, double* out);
bool QuantileFloats(const RangeCall& call, const RangeWindow& window, double* out);
bool MadFloats(const RangeCall& call, const RangeWindow& window, double* out);
// Seconds.
bool TimeOfMinFloat(const RangeCall& call, const RangeWindow& window, double* out);
bool TimeOfMaxFloat(const RangeCall& call, const RangeWindow& window, double* out);
bool TimeOfFirstFloat(const RangeCall& call, const RangeWindow& window, double* out);
bool TimeOfLastFloat(const RangeCall& call, const RangeWindow& window, double* out);

// These take histograms too.
Result<Point> SumOverTime(const RangeCall& call, const RangeWindow& window);
Result<Point> AvgOverTime(const RangeCall& call, const RangeWindow& window);
Result<Point> CountOverTime(const RangeCall& call, const RangeWindow& window);
Result<Point> PresentOverTime(const RangeCall& call, const RangeWindow& window);
Result<Point> FirstOverTime(const RangeCall& call, const RangeWindow& window);
Result<Point> LastOverTime(const RangeCall& call, const RangeWindow& window);
Result<Point> TimeOfFirstOverTime(const RangeCall& call, const RangeWindow& window);
Result<Point> TimeOfLastOverTime(const RangeCall& call, const RangeWindow& window);

}  // namespace varve::promql
