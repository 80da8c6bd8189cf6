// Functions that need the labels of elements or all elements of a step at once: label_replace, absent,
// histogram_quantile, sort, info and their kin.
//
// Threads: functions are pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/memory_budget.h"
#include "engine/base/status.h"
#include "query/promql/values/annotations.h"
#include "query/promql/syntax/ast.h"
#include "query/promql/values/step_column.h"

namespace varve::promql {

// An evaluated argument.
struct SeriesArgument {
  ValueType type = ValueType::kVector;
  const Expr* expr = nullptr;      // parentheses around it are gone
  StepMatrix* vector = nullptr;    // kVector, kMatrix (absent_over_time: which steps have any sample, as value 1);
                                   // the function may take it apart. Null for info()'s second argument, which is
                                   // only read, never evaluated
  std::vector<double> scalars;     // kScalar: one a step
  std::string text;                // kString
};

// Selects series and looks at them as an instant vector selector does: at each step's time, or at `at_ms` where that
// is set, less `offset_ms`. With `own_times` a float's value is the time of its sample (ms) in place of what it holds.
// Series without any point are left out. info() reads the info series with it.
using SelectInstantFn = std::function<Result<StepMatrix>(const std::vector<Matcher>& matchers,
                                                         std::optional<int64_t> at_ms, int64_t offset_ms,
                                                         bool own_times)>;

struct SeriesCall {
  const Call* call = nullptr;
  StepGrid grid;
  bool is_instant = true;
  bool delayed_name_removal = false;
  Annotations* notes = nullptr;
  MemoryBudget* budget = nullptr;  // null: unlimited
  SelectInstantFn select;          // never empty; for this call's grid
};

// kExecution: what the function refuses, in Prometheus's words.
using SeriesFunctionFn = Result<StepMatrix> (*)(const SeriesCall& call, std::vector<SeriesArgument>* args);

struct SeriesFunction {
  std::string_view name;
  SeriesFunctionFn fn = nullptr;
};

// Null for functions of another kind. scalar, vector, time, timestamp and the like, which need the evaluator itself,
// are in evaluator files. The second argument of info is not evaluated: its SeriesArgument has only `expr`.
const SeriesFunction* FindSeriesFunction(std::string_view name);

// The labels of the one element absent and absent_over_time make: those the argument's selector fixes by `=`.
PackedLabels AbsentLabels(const Expr& argument);

// Joins series of the same labels that never meet at a step. kExecution: some do.
Result<StepMatrix> MergeSameLabels(StepMatrix matrix);

}  // namespace varve::promql
