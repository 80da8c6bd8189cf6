#include "query/promql/eval/result.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "query/promql/eval/selector.h"
#include "query/promql/eval/subquery.h"
#include "query/promql/functions/series_functions.h"

namespace varve::promql {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

ResultSeries FromSteps(StepSeries* series, const StepGrid& grid) {
  ResultSeries out;
  out.labels = std::move(series->labels);
  const StepColumn& column = series->column;
  out.floats.reserve(static_cast<size_t>(std::count(column.kinds.begin(), column.kinds.end(), PointKind::kFloat)));
  for (size_t step = 0; step < column.kinds.size(); ++step) {
    if (column.kinds[step] == PointKind::kFloat) out.floats.push_back({grid.At(step), column.values[step]});
    if (column.kinds[step] == PointKind::kHistogram) {
      out.histograms.push_back({grid.At(step), column.histograms[step]});
    }
  }
  return out;
}

void SortByLabels(std::vector<ResultSeries>* series, QueryStats* stats) {
  const Clock::time_point begin = Clock::now();
  std::sort(series->begin(), series->end(),
            [](const ResultSeries& a, const ResultSeries& b) { return a.labels < b.labels; });
  stats->sort_seconds = SecondsSince(begin);
}

// Anchored and smoothed ranges as such: a point at each end of the range, and those strictly inside.
std::vector<FloatPoint> ExtendFloats(const std::vector<FloatPoint>& floats, int64_t begin_ms, int64_t end_ms,
                                     bool smoothed) {
  size_t last = floats.size() - 1;
  const auto behind = [](int64_t ms, const FloatPoint& point) { return ms < point.ts_ms; };
  const auto at_or_behind = [](const FloatPoint& point, int64_t ms) { return point.ts_ms < ms; };
  const auto last_at = floats.begin() + static_cast<ptrdiff_t>(last);
  const auto first_behind =
      static_cast<size_t>(std::upper_bound(floats.begin(), last_at, begin_ms, behind) - floats.begin());
  size_t first = first_behind == 0 ? 0 : first_behind - 1;
  if (smoothed) {
    last = static_cast<size_t>(std::lower_bound(floats.begin(), last_at, end_ms, at_or_behind) - floats.begin());
  }
  if (floats[last].ts_ms <= begin_ms) return {};
  const auto between = [&](size_t left, int64_t ms) {
    const FloatPoint& a = floats[left];
    const FloatPoint& b = floats[left + 1];
    return a.value + (b.value - a.value) * static_cast<double>(ms - a.ts_ms) / static_cast<double>(b.ts_ms - a.ts_ms);
  };
  const double left = smoothed && floats[first].ts_ms < begin_ms ? between(first, begin_ms) : floats[first].value;
  const double right =
      smoothed && last > 0 && floats[last].ts_ms > end_ms ? between(last - 1, end_ms) : floats[last].value;
  std::vector<FloatPoint> out = {{begin_ms, left}};
  for (const FloatPoint& point : floats) {
    if (point.ts_ms > begin_ms && point.ts_ms < end_ms) out.push_back(point);
  }
  out.push_back({end_ms, right});
  return out;
}

// Makes series one whose labels are equal once the names are gone.
Status MergeRanges(std::vector<ResultSeries>* series) {
  std::map<PackedLabels, ResultSeries> merged;
  for (ResultSeries& one : *series) {
    const auto [at, is_new] = merged.try_emplace(one.labels);
    if (is_new) {
      at->second = std::move(one);
      continue;
    }
    ResultSeries& to = at->second;
    const auto by_time = [](const auto& a, const auto& b) { return a.ts_ms < b.ts_ms; };
    const auto same_time = [](const auto& a, const auto& b) { return a.ts_ms == b.ts_ms; };
    to.floats.insert(to.floats.end(), one.floats.begin(), one.floats.end());
    to.histograms.insert(to.histograms.end(), one.histograms.begin(), one.histograms.end());
    std::sort(to.floats.begin(), to.floats.end(), by_time);
    std::sort(to.histograms.begin(), to.histograms.end(), by_time);
    if (std::adjacent_find(to.floats.begin(), to.floats.end(), same_time) != to.floats.end() ||
        std::adjacent_find(to.histograms.begin(), to.histograms.end(), same_time) != to.histograms.end()) {
      return SameLabelsetError();
    }
  }
  series->clear();
  for (auto& [labels, one] : merged) series->push_back(std::move(one));
  return Status::Ok();
}

// `x[5m]` and `x[5m:1m]` of an instant query: the samples themselves.
Status EvalRangeResult(Evaluator* eval, const Expr& expr, const StepGrid& grid, SampleStats* stats, QueryResult* out) {
  const EvalScope scope{grid, stats};
  VARVE_ASSIGN_OR_RETURN(const RangeInput input, OpenRange(eval, expr, scope));
  const WindowSpec& spec = input.spec;
  const int64_t end_ms = spec.EndMs(grid.start_ms);
  ProduceTask task;
  task.budget = eval->tracker()->budget();
  task.check_alive = [eval] { return eval->CheckAlive(); };
  ProduceTask::Buffers* buffers = task.BuffersOfLevel(input.source->levels());
  Charge charge(eval->tracker());
  bool drops_names = false;
  for (size_t i = 0; i < input.source->size(); ++i) {
    VARVE_RETURN_IF_ERROR(eval->CheckAlive());
    VARVE_RETURN_IF_ERROR(input.source->Load(i, &task, buffers));
    ResultSeries series;
    const int64_t after_ms = end_ms - spec.range_ms - spec.before_ms();
    const int64_t until_ms = end_ms + spec.after_ms();
    uint64_t samples = 0;
    for (size_t f = 0; f < buffers->samples.floats.size(); ++f) {
      const int64_t ts_ms = buffers->samples.float_ts_ms[f];
      if (ts_ms > after_ms && ts_ms <= until_ms) series.floats.push_back({ts_ms, buffers->samples.floats[f]});
    }
    for (const HistogramPoint& point : buffers->histograms) {
      if (point.ts_ms <= after_ms || point.ts_ms > until_ms) continue;
      series.histograms.push_back({point.ts_ms, point.histogram});
      samples += point.histogram->SampleSize();
    }
    if ((spec.anchored || spec.smoothed) && !series.histograms.empty()) {
      return ExecutionError(std::string(spec.anchored ? "anchored" : "smoothed") +
                            " modifier is not supported with histograms");
    }
    if ((spec.anchored || spec.smoothed) && !series.floats.empty()) {
      series.floats = ExtendFloats(series.floats, end_ms - spec.range_ms, end_ms, spec.smoothed);
    }
    samples += series.floats.size();
    if (samples == 0) continue;
    stats->Count(0, samples);
    VARVE_RETURN_IF_ERROR(charge.Add(samples, static_cast<int64_t>(samples * sizeof(FloatPoint))));
    const bool drop_name = input.source->drop_name(i);
    drops_names = drops_names || drop_name;
    series.labels = drop_name ? DropMetricLabels(input.source->labels(i)) : input.source->labels(i);
    out->series.push_back(std::move(series));
  }
  eval->notes()->Merge(task.notes);
  return drops_names ? MergeRanges(&out->series) : Status::Ok();
}

// With delayed name removal: names go now, and series that then have the same labels are joined.
Status RemoveNames(StepMatrix* matrix) {
  for (StepSeries& series : *matrix) {
    if (series.drop_name) series.labels = DropMetricLabels(series.labels);
    series.drop_name = false;
  }
  VARVE_ASSIGN_OR_RETURN(*matrix, MergeSameLabels(std::move(*matrix)));
  return Status::Ok();
}

}  // namespace

Status EvalResult(Evaluator* eval, const Expr& root, const StepGrid& grid, SampleStats* stats, QueryResult* out) {
  const EvalScope scope{grid, stats};
  const bool is_instant = grid.step_ms == 0;
  const ValueType type = TypeOf(root);
  out->type = is_instant ? type : ValueType::kMatrix;
  const Expr* bare = &root;
  while (bare->kind == ExprKind::kParen) bare = Cast<Paren>(*bare).expr.get();
  if (type == ValueType::kString) {
    out->text = Cast<StringLiteral>(*bare).value;
    out->text_ts_ms = grid.start_ms;
    return Status::Ok();
  }
  if (type == ValueType::kScalar) {
    VARVE_ASSIGN_OR_RETURN(const std::vector<double> values, eval->Scalar(root, scope));
    out->scalar = {grid.start_ms, values[0]};
    if (is_instant) return Status::Ok();
    ResultSeries series;
    for (size_t step = 0; step < values.size(); ++step) series.floats.push_back({grid.At(step), values[step]});
    out->series.push_back(std::move(series));
    return Status::Ok();
  }
  if (type == ValueType::kMatrix) {
    VARVE_RETURN_IF_ERROR(EvalRangeResult(eval, *bare, grid, stats, out));
    SortByLabels(&out->series, &out->stats);
    return Status::Ok();
  }
  VARVE_ASSIGN_OR_RETURN(ChargedMatrix matrix, eval->Matrix(root, scope));
  if (eval->delayed_names()) VARVE_RETURN_IF_ERROR(RemoveNames(&matrix.series));
  out->series.reserve(matrix.series.size());
  for (StepSeries& series : matrix.series) {
    out->series.push_back(FromSteps(&series, grid));
    series.column = {};
  }
  if (!is_instant) SortByLabels(&out->series, &out->stats);
  return Status::Ok();
}

}  // namespace varve::promql
