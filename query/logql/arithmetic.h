// Binary operators on two numbers: the one definition for constant folding and for execution.
#pragma once

#include "query/logql/ast.h"

namespace varve::logql {

// The value of `left op right`. Comparisons give 0 or 1, division and modulo by zero NaN; `and`, `or` and `unless`
// have no meaning on numbers (the parser refuses them) and give NaN.
double ApplyToNumbers(BinaryOp op, double left, double right);

}  // namespace varve::logql
