// LogQL text to tree.
//
// Errors are kInvalidArgument with Loki's wording and position: "parse error at line 1, col 6: syntax
// error: unexpected }, expecting STRING", "parse error : queries require at least one…".
// Bounds: query_bytes_max of text, nesting_max levels of parentheses; neither recursion nor memory
// grows beyond them.
#pragma once

#include <string_view>
#include <vector>

#include "query/logql/ast.h"

namespace varve::logql {

inline constexpr size_t kQueryBytesMax = 131072;

// Parses, checks types, and refuses what would match every stream.
Result<ExprPtr> ParseExpr(std::string_view query);

// As ParseExpr, but a selector that matches everything is let through (format_query).
Result<ExprPtr> ParseExprWithoutValidation(std::string_view query);

// A bare selector `{a="b"}`, for labels, series and the like. `{}` gives no matchers.
// A pipeline is refused: "only label matchers are supported".
Result<std::vector<Matcher>> ParseMatchers(std::string_view selector);


}  // namespace varve::logql
