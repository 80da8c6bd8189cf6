// Whether the parts of an expression have the types they must have.
//
// Threads: thread-safe; changes the caller's tree.
#pragma once

#include <optional>
#include <string_view>

#include "query/promql/syntax/ast.h"
#include "query/promql/syntax/parse_error.h"

namespace varve::promql {

// The first error in the order in which Prometheus finds them. Makes set operators many-to-many, and takes
// `matching` from operators that do not join two vectors.
std::optional<ParseError> CheckTypes(std::string_view query, Expr* expr);

}  // namespace varve::promql
