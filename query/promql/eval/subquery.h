// Subqueries: an expression evaluated at a grid of its own, whose points a range function then windows.
//
// The grid's times are multiples of the subquery's step, whatever the query's (prom_surface 4.3).
// Threads: as Evaluator and SeriesProducer.
#pragma once

#include "query/promql/eval/window.h"

namespace varve::promql {

// The times at which the inside is evaluated for all steps of `grid`; end before start: there is none.
StepGrid SubqueryGrid(const Subquery& subquery, const StepGrid& grid, int64_t default_step_ms);

Result<RangeInput> OpenSubquery(Evaluator* eval, const Subquery& subquery, const EvalScope& scope);

}  // namespace varve::promql
