// What a LogQL query must satisfy beyond the grammar.
//
// Errors: kInvalidArgument with Loki's words ("parse error : invalid aggregation rate_counter without
// unwrap").
#pragma once

#include <optional>
#include <string>

#include "engine/base/status.h"
#include "query/logql/ast.h"

namespace varve::logql {

// "parse error : message": an error without a position.
Status SemanticError(std::string message);

// Parameter (as written, if any), grouping and unwrap against the operation; sets `aggregation->parameter`.
Status CheckRangeAggregation(const std::optional<std::string>& parameter, RangeAggregation* aggregation);
// Parameter (as written, if any) and grouping against the operation; sets `aggregation->parameter`.
Status CheckVectorAggregation(const std::optional<std::string>& parameter, VectorAggregation* aggregation);
// Regular expressions, and where ip() may stand.
Status CheckLineFilter(const LineFilter& filter);
// Operands of the wrong type: log queries, literals in `and or unless`.
Status CheckOperands(BinaryOp op, const Expr& left, const Expr& right);

// The value of `left op right`; comparisons give 0 or 1, division by zero NaN.
double FoldLiterals(BinaryOp op, double left, double right);

// ValidateMatchers on every selector of the tree.
Status ValidateSelectors(const Expr& expr);

}  // namespace varve::logql
