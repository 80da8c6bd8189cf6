#include "query/promql/eval/query.h"

#include <chrono>

#include "query/promql/eval/evaluator.h"
#include "query/promql/eval/logql_vector.h"
#include "query/promql/eval/prepare.h"
#include "query/promql/eval/result.h"
#include "query/promql/syntax/parser.h"

namespace varve::promql {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// Times beyond these cannot be reached by any arithmetic on them without overflow.
constexpr int64_t kTimeMax = INT64_MAX / 8;

Status CheckRequest(const QueryRequest& request, const PromqlOptions& options) {
  if (request.start_ms < -kTimeMax || request.end_ms > kTimeMax) {
    return InvalidArgument("the time of the query is out of range");
  }
  if (request.end_ms < request.start_ms) {
    return InvalidArgument("end timestamp must not be before start time");
  }
  if (request.step_ms < 0) {
    return InvalidArgument(
        "zero or negative query resolution step widths are not accepted. Try a positive integer");
  }
  if (request.step_ms == 0) {
    if (request.start_ms != request.end_ms) return InvalidArgument("an instant query has one time, and no range");
    return Status::Ok();
  }
  const uint64_t intervals = static_cast<uint64_t>((request.end_ms - request.start_ms) / request.step_ms);
  if (options.points_max != 0 && intervals > options.points_max) {
    return InvalidArgument("exceeded maximum resolution of " + std::to_string(options.points_max) +
                           " points per timeseries. Try decreasing the query resolution (?step=XX)");
  }
  return Status::Ok();
}

// A budget without room is the query's own doing.
Status AsExecution(Status status) {
  if (status.code() != Code::kResourceExhausted) return status;
  return ExecutionError("the query needs more memory than limits.max_query_memory allows: " + status.message());
}

}  // namespace

Result<QueryResult> PromqlEngine::Run(const QueryRequest& request_in, const QueryContext& context) const {
  const Clock::time_point begin = Clock::now();
  QueryRequest request = request_in;
  if (request.lookback_ms == 0) request.lookback_ms = options_.lookback_ms;
  VARVE_RETURN_IF_ERROR(CheckRequest(request, options_));
  VARVE_ASSIGN_OR_RETURN(ExprPtr expr, ParseExpr(request.query));
  VARVE_RETURN_IF_ERROR(CheckLogql(*expr, request.query, context.logql));
  const ValueType type = TypeOf(*expr);
  if (request.step_ms != 0 && type != ValueType::kScalar && type != ValueType::kVector) {
    return InvalidArgument("invalid expression type \"" + std::string(DocumentedType(type)) +
                           "\" for range query, must be Scalar or instant Vector");
  }
  const StepGrid grid{request.start_ms, request.end_ms, request.step_ms};
  VARVE_ASSIGN_OR_RETURN(const Plan plan, Prepare(std::move(expr), grid));

  QueryResult result;
  SampleStats stats;
  if (request.per_step_stats) stats.per_step.resize(grid.steps());
  Evaluator evaluator(options_, request, context, plan);
  result.stats.prepare_seconds = SecondsSince(begin);
  const Clock::time_point eval_begin = Clock::now();
  VARVE_RETURN_IF_ERROR(AsExecution(EvalResult(&evaluator, *plan.root, grid, &stats, &result)));
  // Looks at the clock are rare while it runs; too late is too late all the same.
  VARVE_RETURN_IF_ERROR(evaluator.CheckAlive());
  result.stats.eval_seconds = SecondsSince(eval_begin) - result.stats.sort_seconds;
  result.stats.total_queryable_samples = stats.total;
  result.stats.peak_samples = evaluator.tracker()->peak_samples();
  for (size_t step = 0; step < stats.per_step.size(); ++step) {
    result.stats.queryable_samples_per_step.emplace_back(grid.At(step), static_cast<int64_t>(stats.per_step[step]));
  }
  result.annotations = std::move(*evaluator.notes());
  return result;
}

}  // namespace varve::promql
