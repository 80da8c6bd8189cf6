// info: adds the labels of info metrics (target_info and its like) to the series of the same instance and job
// (prom_surface 4.10).
//
// Threads: pure functions.
#pragma once

#include "query/promql/functions/series_functions.h"

namespace varve::promql {

Result<StepMatrix> Info(const SeriesCall& call, std::vector<SeriesArgument>* args);

// Where in time info series are looked for: where the first selector of the argument looks, subqueries around it
// included.
struct InfoTime {
  int64_t offset_ms = 0;
  std::optional<int64_t> at_ms;
};
InfoTime FindInfoTime(const Expr& argument);

}  // namespace varve::promql
