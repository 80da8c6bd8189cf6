#include "query/promql/eval/logql_vector.h"

namespace varve::promql {

Result<ProducerPtr> EvalLogql(Evaluator* eval, const LogqlVector& logql, const EvalScope& scope) {
  if (eval->context().logql == nullptr) return ExecutionError("logql() is not available here");
  static const CancelToken kNever;
  const CancelToken& cancel = eval->context().cancel == nullptr ? kNever : *eval->context().cancel;
  VARVE_ASSIGN_OR_RETURN(StepMatrix matrix, eval->context().logql->Evaluate(logql.query, scope.grid, cancel,
                                                                            eval->tracker()->budget()));
  return eval->FromMatrix(std::move(matrix), scope, SameLabels::kRefuseStep);
}

}  // namespace varve::promql
