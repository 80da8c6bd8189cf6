// LogQL text to tree.
//
// Errors are kInvalidArgument with Loki's wording and position: "parse error at line 1, col 6: syntax
// error: unexpected }, expecting STRING", "parse error : queries require at least one…".
// Checked here: the grammar, types of operands, parameters and groupings of aggregations, regular expressions
// of matchers, line filters and label_replace. Parsers, templates and ip patterns are Pipeline::Compile's.
// Bounds: kQueryBytesMax of text, kNestingMax levels, kRegexInstructionsMax of regular expressions; neither
// recursion nor memory grows beyond them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "query/logql/ast.h"

namespace varve::logql {

inline constexpr size_t kQueryBytesMax = 131072;  // the first size that is too long, as in Loki
// Of nested parentheses, functions, operators and label filters, in the text and in the tree: whoever walks
// a tree may recurse.
inline constexpr uint32_t kNestingMax = 1000;
// Of all regular expressions of a query together, in instructions of their compiled programs (about 16
// bytes); a usual one has tens, \pL{100} 100,000.
inline constexpr int64_t kRegexInstructionsMax = 1'000'000;

// Parses, checks types, and refuses what would match every stream.
Result<ExprPtr> ParseExpr(std::string_view query);

// As ParseExpr, but a selector that matches everything is let through (format_query).
Result<ExprPtr> ParseExprWithoutValidation(std::string_view query);

// A bare selector `{a="b"}`, for labels, series and the like. `{}` gives no matchers; any other must pass
// ValidateMatchers. Anything else is refused: "only label matchers are supported".
Result<std::vector<Matcher>> ParseMatchers(std::string_view selector);

// Refuses matchers that all accept an absent label, no matchers included: "parse error : queries require at
// least one regexp or equality matcher…".
Status ValidateMatchers(const std::vector<Matcher>& matchers);

}  // namespace varve::logql
