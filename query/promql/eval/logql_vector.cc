#include "query/promql/eval/logql_vector.h"

#include "query/promql/syntax/parse_error.h"
#include "query/promql/syntax/parser.h"

namespace varve::promql {

Status CheckLogql(const Expr& expr, std::string_view query, const LogqlSource* source) {
  if (source == nullptr) return Status::Ok();
  for (const LogqlVector* logql : LogqlVectors(expr)) {
    const Status status = source->Check(logql->query);
    if (!status.ok()) return InvalidArgument(ErrorText({logql->pos, status.message()}, query));
  }
  return Status::Ok();
}

Result<ProducerPtr> EvalLogql(Evaluator* eval, const LogqlVector& logql, const EvalScope& scope) {
  if (eval->context().logql == nullptr) return ExecutionError("logql() is not available here");
  static const CancelToken kNever;
  const CancelToken& cancel = eval->context().cancel == nullptr ? kNever : *eval->context().cancel;
  VARVE_ASSIGN_OR_RETURN(StepMatrix matrix, eval->context().logql->Evaluate(logql.query, scope.grid, cancel,
                                                                            eval->tracker()->budget()));
  return eval->FromMatrix(std::move(matrix), scope, SameLabels::kRefuseStep);
}

}  // namespace varve::promql
