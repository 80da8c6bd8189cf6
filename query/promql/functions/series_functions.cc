#include "query/promql/functions/series_functions.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "query/promql/functions/absent.h"
#include "query/promql/functions/histogram_functions.h"
#include "query/promql/functions/info.h"
#include "query/promql/functions/label_functions.h"
#include "query/promql/functions/sort_functions.h"

namespace varve::promql {
namespace {

// Ascending by name.
constexpr std::array kFunctions = {
    SeriesFunction{"absent", Absent},
    SeriesFunction{"absent_over_time", AbsentOverTime},
    SeriesFunction{"info", Info},
    SeriesFunction{"label_join", LabelJoin},
    SeriesFunction{"label_replace", LabelReplace},
    SeriesFunction{"sort", Sort},
    SeriesFunction{"sort_by_label", SortByLabel},
    SeriesFunction{"sort_by_label_desc", SortByLabelDesc},
    SeriesFunction{"sort_desc", SortDesc},
};

bool HasDuplicates(const StepMatrix& matrix) {
  std::unordered_map<std::string_view, bool> seen;
  seen.reserve(matrix.size());
  for (const StepSeries& series : matrix) {
    if (!seen.emplace(series.labels.canonical(), true).second) return true;
  }
  return false;
}

// Moves the points of `from` into `to`. False: both have one at a step.
bool MergeColumns(StepColumn* to, StepColumn from) {
  for (size_t step = 0; step < from.kinds.size(); ++step) {
    if (from.kinds[step] == PointKind::kNone) continue;
    if (to->kinds[step] != PointKind::kNone) return false;
    if (from.kinds[step] == PointKind::kFloat) {
      to->SetFloat(step, from.values[step]);
    } else {
      to->SetHistogram(step, std::move(from.histograms[step]));
    }
  }
  return true;
}

}  // namespace

const SeriesFunction* FindSeriesFunction(std::string_view name) {
  if (name.starts_with("histogram_")) {
    for (const SeriesFunction& function : HistogramSeriesFunctions()) {
      if (function.name == name) return &function;
    }
    return nullptr;
  }
  const auto* const found = std::lower_bound(kFunctions.begin(), kFunctions.end(), name,
                                             [](const SeriesFunction& f, std::string_view n) { return f.name < n; });
  return found != kFunctions.end() && found->name == name ? found : nullptr;
}

Result<StepMatrix> MergeSameLabels(StepMatrix matrix) {
  if (!HasDuplicates(matrix)) return matrix;
  StepMatrix out;
  out.reserve(matrix.size());  // the keys below point into its elements
  std::unordered_map<std::string_view, size_t> places;
  for (StepSeries& series : matrix) {
    const auto found = places.find(series.labels.canonical());
    if (found == places.end()) {
      out.push_back(std::move(series));
      places.emplace(out.back().labels.canonical(), out.size() - 1);
    } else if (!MergeColumns(&out[found->second].column, std::move(series.column))) {
      return ExecutionError("vector cannot contain metrics with the same labelset");
    }
  }
  return out;
}

}  // namespace varve::promql
