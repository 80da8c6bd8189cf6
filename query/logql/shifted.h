// The same metric query, of whose windows each lies earlier.
//
// Range queries have their steps at multiples of the step (exec/step_grid.h). Who needs other times asks for the next
// multiples, of the query shifted back by the difference.
// Threads: a pure function.
#pragma once

#include <cstdint>

#include "query/logql/ast.h"

namespace varve::logql {

// Adds `back_ns` to the offset of every range.
ExprPtr ShiftedBack(const Expr& expr, int64_t back_ns);

}  // namespace varve::logql
