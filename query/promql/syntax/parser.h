// PromQL text to a checked tree.
//
// Grammar, precedence and messages: prom_surface 4.1, 4.2. Everything that Prometheus has behind feature flags
// (experimental functions, duration expressions, anchored and smoothed, fill modifiers) is on.
// Depth and size are bounded (kDepthMax, kQueryBytesMax): a longer or deeper query is an error, not a crash.
// Threads: thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/packed_labels.h"
#include "query/promql/syntax/ast.h"

namespace varve::promql {

inline constexpr int kDepthMax = 500;
inline constexpr size_t kQueryBytesMax = 1 << 20;

// kInvalidArgument, with Prometheus's text: `1:5: parse error: …`; the first error only.
Result<ExprPtr> ParseExpr(std::string_view query);
// A selector as in match[]: metric name and matchers only.
// kInvalidArgument: as above, or `match[] must contain at least one non-empty matcher`.
Result<std::vector<Matcher>> ParseSelector(std::string_view text);
// [name]{label="value",…}, as in test scripts and text formats.
Result<PackedLabels> ParseMetric(std::string_view text);
// `1h30m`, in milliseconds; bare numbers are seconds.
Result<int64_t> ParseDuration(std::string_view text);

// The expression in canonical form on one line (String() of Prometheus), and over several where it is long
// (/api/v1/format_query).
std::string ToString(const Expr& expr);
std::string Prettify(const Expr& expr);
// The tree as /api/v1/parse_query shows it.
std::string ToAstJson(const Expr& expr);

// Every selector in the tree, in order of the text.
std::vector<const VectorSelector*> Selectors(const Expr& expr);
// Every logql("…") likewise.
std::vector<const LogqlVector*> LogqlVectors(const Expr& expr);

}  // namespace varve::promql
