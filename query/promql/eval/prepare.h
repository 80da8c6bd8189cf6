// Makes a parsed tree ready to be evaluated at given times.
//
// start(), end(), step() and range() become numbers; durations written as expressions become milliseconds; @ start()
// and @ end() become times; parentheses around arguments go. What does not depend on the step is found, to be
// evaluated once (prom_surface 4.3).
// Threads: changes the tree; one thread.
#pragma once

#include <unordered_set>

#include "engine/base/status.h"
#include "query/promql/syntax/ast.h"
#include "query/promql/values/step_column.h"

namespace varve::promql {

struct Plan {
  ExprPtr root;
  // Expressions to be evaluated at one step and repeated at all.
  std::unordered_set<const Expr*> invariant;
  // Selectors of whose native histograms only count and sum matter: those under histogram_count, _sum and _avg, with
  // nothing around them that looks at buckets.
  std::unordered_set<const Expr*> stats_only;
};

// kInvalidArgument: a duration that is not positive, or out of range.
Result<Plan> Prepare(ExprPtr expr, const StepGrid& grid);

}  // namespace varve::promql
