#include "query/promql/functions/histogram_series_functions.h"

#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "engine/model/labels.h"
#include "query/promql/functions/histogram_series.h"
#include "query/promql/values/histogram_quantile.h"
#include "query/promql/values/number_text.h"

namespace varve::promql {
namespace {

const std::array<std::string, 3> kMetadataLabels = {"__name__", "__type__", "__unit__"};

std::string ForMetric(std::string_view text, std::string_view name) {
  std::string out(text);
  return name.empty() ? out : out + " for metric name " + GoQuoted(name);
}

void NoteNan(NanNote note, PositionRange pos, std::string_view name, Annotations* notes) {
  std::string_view text;
  switch (note) {
    case NanNote::kNone:
      return;
    case NanNote::kResultIsNan:
      text = "input to histogram_quantile has NaN observations, result is NaN";
      break;
    case NanNote::kSkewedHigher:
      text = "input to histogram_quantile has NaN observations, result is skewed higher";
      break;
    case NanNote::kExcluded:
      text = "input to histogram_fraction has NaN observations, which are excluded from all fractions";
      break;
  }
  notes->AddInfo(pos, ForMetric(text, name));
}

void NoteFix(const MonotonicityFix& fix, PositionRange pos, std::string_view name, int64_t ts_ms,
             Annotations* notes) {
  if (!fix.forced) return;
  notes->AddMonotonicityFix(
      pos,
      ForMetric("input to histogram_quantile needed to be fixed for monotonicity (see "
                "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)", name),
      {ts_ms, ts_ms, fix.min_bound, fix.max_bound, fix.max_diff});
}

void NoteInvalidQuantile(double q, PositionRange pos, Annotations* notes) {
  if (q >= 0 && q <= 1) return;
  notes->AddWarning(pos, "quantile value should be between 0 and 1, got " + GoG(q));
}

// The series of results: labels of a histogram, without the metric's name unless that is removed at the end.
StepSeries ResultSeries(const SeriesCall& call, const HistogramSeries::Source& source) {
  StepSeries out;
  out.labels = source.labels;
  out.drop_name = true;
  if (!call.delayed_name_removal) {
    PackedLabelsBuilder builder(source.labels);
    builder.Drop(kMetadataLabels);
    out.labels = builder.Build();
  }
  out.column.Resize(call.grid.steps());
  return out;
}

// Results before any step; their memory is counted in `memory`, if there is one.
Result<StepMatrix> EmptyResults(const SeriesCall& call, const HistogramSeries& all,
                                std::optional<MemoryReservation>* memory) {
  if (call.budget != nullptr && !memory->has_value()) memory->emplace(call.budget);
  StepMatrix out;
  out.reserve(all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    out.push_back(ResultSeries(call, all.source(i)));
    if (!memory->has_value()) continue;
    const size_t bytes = sizeof(StepSeries) + out.back().labels.canonical().size() +
                         call.grid.steps() * (sizeof(double) + sizeof(PointKind));
    VARVE_RETURN_IF_ERROR((*memory)->Add(static_cast<int64_t>(bytes)));
  }
  return out;
}

// Leaves out series without a point; joins those that became one.
Result<StepMatrix> Finish(StepMatrix matrix) {
  std::erase_if(matrix, [](const StepSeries& series) {
    for (const PointKind kind : series.column.kinds) {
      if (kind != PointKind::kNone) return false;
    }
    return true;
  });
  return MergeSameLabels(std::move(matrix));
}

void SetLabel(std::string_view name, std::string_view value, PackedLabels* labels) {
  PackedLabelsBuilder builder(*labels);
  builder.Set(name, value);
  *labels = builder.Build();
}

// The quantile `q` of each histogram at a collected step, into `out`.
void QuantilesAt(const SeriesCall& call, HistogramSeries* all, PositionRange pos, size_t step, double q,
                 StepMatrix* out) {
  for (size_t i = 0; i < all->size(); ++i) {
    if (const FloatHistogram* native = all->native(i)) {
      const NativeEstimate estimate = HistogramQuantile(q, *native);
      NoteNan(estimate.nan, pos, all->MetricName(i), call.notes);
      (*out)[i].column.SetFloat(step, estimate.value);
    } else if (!all->classic(i)->empty()) {
      MonotonicityFix fix;
      const double value = ClassicQuantile(q, all->classic(i), &fix);
      NoteFix(fix, pos, all->MetricName(i), call.grid.At(step), call.notes);
      (*out)[i].column.SetFloat(step, value);
    }
  }
}

}  // namespace

Result<StepMatrix> HistogramQuantileOfSeries(const SeriesCall& call, std::vector<SeriesArgument>* args) {
  const SeriesArgument& quantile = (*args)[0];
  const SeriesArgument& vector = (*args)[1];
  HistogramSeries all(call, *vector.vector, vector.expr->pos);
  std::optional<MemoryReservation> memory;
  VARVE_ASSIGN_OR_RETURN(StepMatrix out, EmptyResults(call, all, &memory));
  for (size_t step = 0; step < call.grid.steps(); ++step) {
    const double q = quantile.scalars[step];
    NoteInvalidQuantile(q, quantile.expr->pos, call.notes);
    all.Collect(step);
    QuantilesAt(call, &all, vector.expr->pos, step, q, &out);
  }
  return Finish(std::move(out));
}

Result<StepMatrix> HistogramQuantilesOfSeries(const SeriesCall& call, std::vector<SeriesArgument>* args) {
  const SeriesArgument& vector = (*args)[0];
  const std::string& label = (*args)[1].text;
  HistogramSeries all(call, *vector.vector, vector.expr->pos);
  std::optional<MemoryReservation> memory;
  // By argument and the value it has; it may have another at each step.
  std::map<std::pair<size_t, std::string>, StepMatrix> results;
  for (size_t step = 0; step < call.grid.steps(); ++step) {
    all.Collect(step);
    for (size_t i = 2; i < args->size(); ++i) {
      const double q = (*args)[i].scalars[step];
      NoteInvalidQuantile(q, (*args)[i].expr->pos, call.notes);
      const std::string text = GoOpenMetrics(q);
      auto found = results.find({i, text});
      if (found == results.end()) {
        VARVE_ASSIGN_OR_RETURN(StepMatrix empty, EmptyResults(call, all, &memory));
        for (StepSeries& series : empty) SetLabel(label, text, &series.labels);
        found = results.emplace(std::pair(i, text), std::move(empty)).first;
      }
      QuantilesAt(call, &all, vector.expr->pos, step, q, &found->second);
    }
  }
  StepMatrix out;
  for (auto& [key, matrix] : results) {
    for (StepSeries& series : matrix) out.push_back(std::move(series));
  }
  return Finish(std::move(out));
}

Result<StepMatrix> HistogramFractionOfSeries(const SeriesCall& call, std::vector<SeriesArgument>* args) {
  const SeriesArgument& vector = (*args)[2];
  HistogramSeries all(call, *vector.vector, vector.expr->pos);
  std::optional<MemoryReservation> memory;
  VARVE_ASSIGN_OR_RETURN(StepMatrix out, EmptyResults(call, all, &memory));
  for (size_t step = 0; step < call.grid.steps(); ++step) {
    const double lower = (*args)[0].scalars[step];
    const double upper = (*args)[1].scalars[step];
    all.Collect(step);
    for (size_t i = 0; i < all.size(); ++i) {
      if (const FloatHistogram* native = all.native(i)) {
        const NativeEstimate estimate = HistogramFraction(lower, upper, *native);
        NoteNan(estimate.nan, vector.expr->pos, all.MetricName(i), call.notes);
        out[i].column.SetFloat(step, estimate.value);
      } else if (!all.classic(i)->empty()) {
        out[i].column.SetFloat(step, ClassicFraction(lower, upper, all.classic(i)));
      }
    }
  }
  return Finish(std::move(out));
}

}  // namespace varve::promql
