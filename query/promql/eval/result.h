// From evaluated series to the result of a query.
//
// Threads: as Evaluator.
#pragma once

#include "query/promql/eval/evaluator.h"

namespace varve::promql {

// The value of the plan's root: of an instant query when `grid` has step 0.
Status EvalResult(Evaluator* eval, const Expr& root, const StepGrid& grid, SampleStats* stats, QueryResult* out);

}  // namespace varve::promql
