// quantile and count_values: operators that look at all values of a group at a step.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "engine/base/bytes.h"
#include "query/promql/eval/aggregation.h"
#include "query/promql/syntax/number_text.h"
#include "query/promql/values/number_text.h"

namespace varve::promql {
namespace {

// NaN is the smallest.
double QuantileOf(double q, std::vector<double>* values) {
  if (values->empty() || std::isnan(q)) return NAN;
  if (q < 0) return -INFINITY;
  if (q > 1) return INFINITY;
  std::sort(values->begin(), values->end(), [](double a, double b) {
    return std::isnan(a) ? !std::isnan(b) : a < b;
  });
  const auto n = static_cast<double>(values->size());
  const double rank = q * (n - 1);
  const double lower = std::max(0.0, std::floor(rank));
  const double upper = std::min(n - 1, lower + 1);
  const double weight = rank - std::floor(rank);
  return (*values)[static_cast<size_t>(lower)] * (1 - weight) + (*values)[static_cast<size_t>(upper)] * weight;
}

void WarnOfQuantile(Evaluator* eval, const Aggregate& aggregate, const AggregateParam& param) {
  const auto warn = [&](double q) {
    eval->notes()->AddWarning(aggregate.param->pos,
                              "quantile value should be between 0 and 1, got " + GoG(q));
  };
  if (param.has_nan) warn(NAN);
  if (param.max > 1) warn(param.max);
  if (param.min < 0) warn(param.min);
}

}  // namespace

Result<ProducerPtr> EvalQuantile(Evaluator* eval, const Aggregate& aggregate, const AggregateParam& param,
                                 const EvalScope& scope) {
  VARVE_ASSIGN_OR_RETURN(const ChargedMatrix in, eval->Matrix(*aggregate.expr, scope));
  WarnOfQuantile(eval, aggregate, param);
  GroupTable table(aggregate.grouping, aggregate.without);
  std::vector<uint32_t> group_of;
  for (const StepSeries& series : in.series) group_of.push_back(table.GroupOf(series.labels));
  const size_t steps = scope.grid.steps();
  StepMatrix rows(table.size());
  for (uint32_t group = 0; group < rows.size(); ++group) {
    rows[group].labels = table.labels(group);
    rows[group].column.Resize(steps);
  }
  std::vector<std::vector<double>> values(table.size());
  for (size_t step = 0; step < steps; ++step) {
    VARVE_RETURN_IF_ERROR(eval->CheckAlive());
    for (std::vector<double>& group : values) group.clear();
    for (size_t i = 0; i < in.series.size(); ++i) {
      const StepSeries& series = in.series[i];
      if (series.column.kinds[step] == PointKind::kFloat) {
        values[group_of[i]].push_back(series.column.values[step]);
        if (series.drop_name) rows[group_of[i]].drop_name = true;
      } else if (series.column.kinds[step] == PointKind::kHistogram) {
        eval->notes()->AddInfo(aggregate.expr->pos, "ignored histogram in quantile aggregation");
      }
    }
    for (size_t group = 0; group < rows.size(); ++group) {
      if (values[group].empty()) continue;
      rows[group].column.SetFloat(step, QuantileOf(param.values[step], &values[group]));
    }
  }
  return eval->FromMatrix(std::move(rows), scope, SameLabels::kRefuseSeries);
}

Result<ProducerPtr> EvalCountValues(Evaluator* eval, const Aggregate& aggregate, const EvalScope& scope) {
  const std::string& label = Cast<StringLiteral>(*aggregate.param).value;
  if (label.empty() || !IsValidUtf8(label)) {
    std::string text = "invalid label name ";
    AppendGoQuoted(&text, label);
    return ExecutionError(std::move(text));
  }
  VARVE_ASSIGN_OR_RETURN(const ChargedMatrix in, eval->Matrix(*aggregate.expr, scope));
  std::vector<std::string> grouping = aggregate.grouping;
  if (!aggregate.without) grouping.push_back(label);
  GroupTable table(std::move(grouping), aggregate.without);
  const size_t steps = scope.grid.steps();
  Charge charge(eval->tracker());
  StepMatrix rows;
  std::string text;
  for (const StepSeries& series : in.series) {
    VARVE_RETURN_IF_ERROR(eval->CheckAlive());
    PackedLabelsBuilder builder(series.labels);
    // A value that stays the same from step to step is common: then its group does.
    std::string last;
    uint32_t group = 0;
    for (size_t step = 0; step < steps; ++step) {
      const PointKind kind = series.column.kinds[step];
      if (kind == PointKind::kNone) continue;
      text.clear();
      if (kind == PointKind::kFloat) {
        AppendPlainNumber(&text, series.column.values[step]);
      } else {
        text = series.column.histograms[step]->ToString();
      }
      if (text != last) {
        builder.Set(label, text);
        group = table.GroupOf(builder.Build());
        last = text;
      }
      if (group == rows.size()) {
        VARVE_RETURN_IF_ERROR(charge.Add(0, static_cast<int64_t>(steps * (sizeof(double) + sizeof(PointKind)))));
        rows.emplace_back().labels = table.labels(group);
        rows.back().column.Resize(steps);
      }
      StepColumn& column = rows[group].column;
      column.SetFloat(step, column.values[step] + 1);
    }
  }
  charge.Clear();
  return eval->FromMatrix(std::move(rows), scope, SameLabels::kRefuseSeries);
}

}  // namespace varve::promql
