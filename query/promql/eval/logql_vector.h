// logql("…") as a vector: the LogQL engine's own answer at the steps of the grid.
#pragma once

#include "query/promql/eval/evaluator.h"

namespace varve::promql {

// kInvalidArgument names the place: a logql() in `expr`, parsed from `query`, has no LogQL metric query in it. Without a
// source (null) there is nothing to check.
Status CheckLogql(const Expr& expr, std::string_view query, const LogqlSource* source);

Result<ProducerPtr> EvalLogql(Evaluator* eval, const LogqlVector& logql, const EvalScope& scope);

}  // namespace varve::promql
