#include "query/promql/functions/absent.h"

#include <set>

namespace varve::promql {
namespace {

const Expr& WithoutParens(const Expr& expr) {
  const Expr* at = &expr;
  while (at->kind == ExprKind::kParen) at = Cast<Paren>(*at).expr.get();
  return *at;
}

// 1 at each step where no series of the argument has anything.
StepMatrix Gaps(const SeriesCall& call, const SeriesArgument& argument) {
  StepSeries gaps;
  gaps.column.Resize(call.grid.steps());
  bool any = false;
  for (size_t step = 0; step < call.grid.steps(); ++step) gaps.column.SetFloat(step, 1);
  for (const StepSeries& series : *argument.vector) {
    for (size_t step = 0; step < series.column.kinds.size(); ++step) {
      if (series.column.kinds[step] != PointKind::kNone) gaps.column.kinds[step] = PointKind::kNone;
    }
  }
  for (size_t step = 0; step < call.grid.steps(); ++step) {
    if (gaps.column.kinds[step] == PointKind::kNone) {
      gaps.column.values[step] = 0;
    } else {
      any = true;
    }
  }
  StepMatrix out;
  if (!any) return out;
  gaps.labels = AbsentLabels(*call.call->args[0]);
  out.push_back(std::move(gaps));
  return out;
}

}  // namespace

PackedLabels AbsentLabels(const Expr& argument) {
  const Expr& expr = WithoutParens(argument);
  const VectorSelector* selector = nullptr;
  if (expr.kind == ExprKind::kVectorSelector) selector = &Cast<VectorSelector>(expr);
  if (expr.kind == ExprKind::kMatrixSelector) selector = Cast<MatrixSelector>(expr).selector.get();
  if (selector == nullptr) return {};
  PackedLabelsBuilder builder;
  std::set<std::string_view> fixed;
  for (const Matcher& matcher : selector->matchers) {
    if (matcher.name() == kMetricName) continue;
    if (matcher.op() == MatchOp::kEqual && fixed.insert(matcher.name()).second) {
      builder.Set(matcher.name(), matcher.value());
    } else {
      builder.Delete(matcher.name());
    }
  }
  return builder.Build();
}

Result<StepMatrix> Absent(const SeriesCall& call, std::vector<SeriesArgument>* args) {
  return Gaps(call, (*args)[0]);
}

Result<StepMatrix> AbsentOverTime(const SeriesCall& call, std::vector<SeriesArgument>* args) {
  StepMatrix out = Gaps(call, (*args)[0]);
  // No name, but perhaps a type or unit, goes at the end.
  for (StepSeries& series : out) series.drop_name = call.delayed_name_removal;
  return out;
}

}  // namespace varve::promql
