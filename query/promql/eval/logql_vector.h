// logql("…") as a vector: the LogQL engine's own answer at the steps of the grid.
#pragma once

#include "query/promql/eval/evaluator.h"

namespace varve::promql {

Result<ProducerPtr> EvalLogql(Evaluator* eval, const LogqlVector& logql, const EvalScope& scope);

}  // namespace varve::promql
