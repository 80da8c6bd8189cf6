// Puts numbers in the place of durations that are written as expressions (5m * 2, step(), max_of(…)).
//
// Needed before evaluation: their value depends on the step and the range of the query.
// Threads: works on the caller's tree.
#pragma once

#include <cstdint>

#include "engine/base/status.h"
#include "query/promql/syntax/ast.h"

namespace varve::promql {

struct QuerySpan {
  int64_t step_ms = 0;   // what step() gives; 0 in an instant query
  int64_t range_ms = 0;  // what range() gives: end - start
};

// Sets offset_ms, range_ms and step_ms wherever an expression stands beside them. The expressions stay, for printing.
// kExecution: `14:17: duration must be greater than 0`, `…division by zero`, `…duration is out of range`.
Status ResolveDurations(const QuerySpan& span, Expr* expr);

}  // namespace varve::promql
