// What a LogQL query must satisfy beyond the grammar.
//
// Errors: kInvalidArgument with Loki's words ("parse error : invalid aggregation rate_counter without
// unwrap").
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/status.h"
#include "query/logql/ast.h"

namespace varve::logql {

// "parse error : message": an error without a position.
Status SemanticError(std::string message);

// What the regular expressions of one query may cost: their compiled programs take memory and time that a
// short text like \pL{100}, repeated, drives into gigabytes. Each counts as at least 1/1,000 of it all.
class RegexBudget {
 public:
  void Charge(const Regex& regex);
  // kInvalidArgument once too much has been charged.
  Status status() const;

 private:
  int64_t instructions_ = 0;
};

// Parameter (as written, if any), grouping and unwrap against the operation; sets `aggregation->parameter`.
Status CheckRangeAggregation(const std::optional<std::string>& parameter, RangeAggregation* aggregation);
// Parameter (as written, if any) and grouping against the operation; sets `aggregation->parameter`.
Status CheckVectorAggregation(const std::optional<std::string>& parameter, VectorAggregation* aggregation);
// Regular expressions, and where ip() may stand.
Status CheckLineFilter(const LineFilter& filter, RegexBudget* budget);
// Operands of the wrong type: log queries, literals in `and or unless`.
Status CheckOperands(BinaryOp op, const Expr& left, const Expr& right);

// Refuses a regular expression, in whatever part of the query, with a text of more than `bytes_max` bytes; 0:
// no limit. `regular expression of 70000 bytes exceeds limits.max_regex_size (65536)`.
Status CheckRegexSizes(const Expr& expr, size_t bytes_max);

// ValidateMatchers on every selector of the tree.
Status ValidateSelectors(const Expr& expr);

}  // namespace varve::logql
