// Functions that need the labels of elements or all elements of a step at once: label_replace, absent,
// histogram_quantile, sort, info and their kin.
//
// Threads: functions are pure.
#pragma once

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
  const Expr* expr = nullptr;
  StepMatrix* vector = nullptr;    // kVector, kMatrix (absent_over_time: which steps have any sample, as value 1);
                                   // the function may take it apart
  std::vector<double> scalars;     // kScalar: one a step
  std::string text;                // kString
};

struct SeriesCall {
  const Call* call = nullptr;
  StepGrid grid;
  bool is_instant = true;
  bool delayed_name_removal = false;
  Annotations* notes = nullptr;
  MemoryBudget* budget = nullptr;
};

using SeriesFunctionFn = Result<StepMatrix> (*)(const SeriesCall& call, std::vector<SeriesArgument>* args);

struct SeriesFunction {
  std::string_view name;
  SeriesFunctionFn fn = nullptr;
};

// Null for functions of another kind. scalar, vector, time, timestamp, info and the like, which need the
// evaluator itself, are in evaluator files.
const SeriesFunction* FindSeriesFunction(std::string_view name);

}  // namespace varve::promql
