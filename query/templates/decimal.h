// Exact decimal arithmetic for addf, subf, mulf and divf.
//
// An operand is the shortest decimal that reads back as its float64; division rounds to 16 places. Threads:
// pure functions.
#pragma once

#include <span>
#include <string>

namespace varve::templates {

enum class DecimalOperation : char { kAdd, kSubtract, kMultiply, kDivide };

// Folds the operands from left to right, starting with `first`. False: `error` says why.
bool FoldDecimals(DecimalOperation operation, double first, std::span<const double> rest, double* result,
                  std::string* error);

}  // namespace varve::templates
