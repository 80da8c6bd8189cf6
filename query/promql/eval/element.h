// What changes each element of a vector on its own: element functions, the sign, and operators with a scalar.
//
// Threads: as Evaluator and SeriesProducer.
#pragma once

#include "query/promql/eval/evaluator.h"
#include "query/promql/functions/element_functions.h"

namespace varve::promql {

Result<ProducerPtr> EvalElementFunction(Evaluator* eval, const Call& call, const ElementFunction& function,
                                        const EvalScope& scope);
Result<ProducerPtr> EvalUnary(Evaluator* eval, const Unary& unary, const EvalScope& scope);
// Between a vector and a scalar, on either side.
Result<ProducerPtr> EvalVectorScalar(Evaluator* eval, const Binary& binary, const EvalScope& scope);
// timestamp() of anything but a plain selector: the step's time where there is an element.
Result<ProducerPtr> EvalStepTimes(Evaluator* eval, const Call& call, const EvalScope& scope);

// One series without labels that has these values.
ProducerPtr SingleSeries(Evaluator* eval, const std::vector<double>& values);

}  // namespace varve::promql
