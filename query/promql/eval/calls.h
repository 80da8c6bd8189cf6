// Function calls: which kind of function it is, its arguments, and those functions that need the evaluator.
//
// Threads: as Evaluator.
#pragma once

#include "query/promql/eval/evaluator.h"

namespace varve::promql {

Result<ProducerPtr> EvalCall(Evaluator* eval, const Call& call, const EvalScope& scope);
// pi, time, scalar, min_of, max_of: what gives a scalar.
Result<std::vector<double>> EvalScalarCall(Evaluator* eval, const Call& call, const EvalScope& scope);

}  // namespace varve::promql
