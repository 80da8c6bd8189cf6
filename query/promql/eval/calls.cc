#include "query/promql/eval/calls.h"

#include <cmath>
#include <numbers>

#include "query/promql/eval/element.h"
#include "query/promql/eval/selector.h"
#include "query/promql/eval/window.h"
#include "query/promql/functions/series_functions.h"
#include "query/promql/syntax/function_table.h"

namespace varve::promql {
namespace {

Result<ProducerPtr> EvalTimes(Evaluator* eval, const Call& call, const EvalScope& scope) {
  const bool starts = call.function->name == "start_timestamp";
  const Expr& arg = *call.args[0];
  if (starts && (!eval->options().use_start_timestamps || arg.kind != ExprKind::kVectorSelector)) {
    VARVE_RETURN_IF_ERROR(eval->Matrix(arg, scope).status().Clone());
    return eval->FromMatrix({}, scope, SameLabels::kRefuseStep);
  }
  if (arg.kind != ExprKind::kVectorSelector) return EvalStepTimes(eval, call, scope);
  return EvalSelectorTimes(eval, Cast<VectorSelector>(arg),
                           starts ? InstantValue::kStartTimestamp : InstantValue::kTimestamp, scope);
}

// The arguments of a series function, and what is charged for them.
struct EvaluatedArguments {
  std::vector<SeriesArgument> arguments;
  std::vector<ChargedMatrix> matrices;  // arguments point into it
};

Result<EvaluatedArguments> EvalArguments(Evaluator* eval, const Call& call, const EvalScope& scope) {
  EvaluatedArguments out;
  out.matrices.reserve(call.args.size());
  for (size_t i = 0; i < call.args.size(); ++i) {
    SeriesArgument argument;
    argument.expr = call.args[i].get();
    argument.type = TypeOf(*argument.expr);
    if (call.function->name == "info" && i == 1) {
      // A list of matchers; there is nothing to evaluate.
    } else if (argument.type == ValueType::kString) {
      argument.text = Cast<StringLiteral>(*argument.expr).value;
    } else if (argument.type == ValueType::kScalar) {
      VARVE_ASSIGN_OR_RETURN(argument.scalars, eval->Scalar(*argument.expr, scope));
    } else {
      VARVE_ASSIGN_OR_RETURN(ChargedMatrix matrix, argument.type == ValueType::kMatrix
                                                       ? EvalPresence(eval, call, scope)
                                                       : eval->Matrix(*argument.expr, scope));
      out.matrices.push_back(std::move(matrix));
      argument.vector = &out.matrices.back().series;
    }
    out.arguments.push_back(std::move(argument));
  }
  return out;
}

Result<ProducerPtr> EvalSeriesFunction(Evaluator* eval, const Call& call, const SeriesFunction& function,
                                       const EvalScope& scope) {
  VARVE_ASSIGN_OR_RETURN(EvaluatedArguments arguments, EvalArguments(eval, call, scope));
  SeriesCall series_call;
  series_call.call = &call;
  series_call.grid = scope.grid;
  series_call.is_instant = scope.is_instant();
  series_call.delayed_name_removal = eval->delayed_names();
  series_call.notes = eval->notes();
  series_call.budget = eval->tracker()->budget();
  series_call.select = [&](const std::vector<Matcher>& matchers, std::optional<int64_t> at_ms, int64_t offset_ms,
                           bool own_times) {
    return SelectInstant(eval, matchers, at_ms, offset_ms, own_times, scope);
  };
  VARVE_ASSIGN_OR_RETURN(StepMatrix out, function.fn(series_call, &arguments.arguments));
  return eval->FromMatrix(std::move(out), scope, SameLabels::kRefuseStep);
}

// The value of the only float at each step, NaN where there is none or are several.
Result<std::vector<double>> EvalScalarOfVector(Evaluator* eval, const Expr& arg, const EvalScope& scope) {
  VARVE_ASSIGN_OR_RETURN(ProducerPtr producer, eval->Vector(arg, scope));
  std::vector<double> values(scope.grid.steps(), NAN);
  std::vector<bool> seen(values.size());
  VARVE_RETURN_IF_ERROR(eval->ForEachColumn(producer.get(), scope, [&](size_t, StepColumn* column) {
    for (size_t step = 0; step < values.size(); ++step) {
      if (column->kinds[step] != PointKind::kFloat) continue;
      values[step] = seen[step] ? NAN : column->values[step];
      seen[step] = true;
    }
    return Status::Ok();
  }));
  return values;
}

}  // namespace

Result<ProducerPtr> EvalCall(Evaluator* eval, const Call& call, const EvalScope& scope) {
  const std::string_view name = call.function->name;
  if (name == "vector") {
    VARVE_ASSIGN_OR_RETURN(const std::vector<double> values, eval->Scalar(*call.args[0], scope));
    return SingleSeries(eval, values);
  }
  if (name == "timestamp" || name == "start_timestamp") return EvalTimes(eval, call, scope);
  if (const RangeFunction* range = FindRangeFunction(name)) return EvalRangeFunction(eval, call, *range, scope);
  if (const ElementFunction* element = FindElementFunction(name)) {
    return EvalElementFunction(eval, call, *element, scope);
  }
  if (const SeriesFunction* series = FindSeriesFunction(name)) return EvalSeriesFunction(eval, call, *series, scope);
  return InternalError("no implementation of the function " + std::string(name));
}

Result<std::vector<double>> EvalScalarCall(Evaluator* eval, const Call& call, const EvalScope& scope) {
  const std::string_view name = call.function->name;
  const size_t steps = scope.grid.steps();
  if (name == "pi") return std::vector<double>(steps, std::numbers::pi);
  if (name == "scalar") return EvalScalarOfVector(eval, *call.args[0], scope);
  if (name == "time") {
    std::vector<double> values(steps);
    for (size_t step = 0; step < steps; ++step) values[step] = static_cast<double>(scope.grid.At(step)) / 1000;
    return values;
  }
  if (name == "min_of" || name == "max_of") {
    VARVE_ASSIGN_OR_RETURN(std::vector<double> a, eval->Scalar(*call.args[0], scope));
    VARVE_ASSIGN_OR_RETURN(const std::vector<double> b, eval->Scalar(*call.args[1], scope));
    for (size_t step = 0; step < steps; ++step) {
      // NaN wins, as in Go.
      if (std::isnan(a[step]) || std::isnan(b[step])) {
        a[step] = NAN;
      } else {
        a[step] = name == "min_of" ? std::fmin(a[step], b[step]) : std::fmax(a[step], b[step]);
      }
    }
    return a;
  }
  return InternalError("no implementation of the function " + std::string(name));
}

}  // namespace varve::promql
