#include "query/promql/syntax/parser.h"

#include <algorithm>

#include "query/promql/syntax/expression_parser.h"
#include "query/promql/syntax/number_text.h"
#include "query/promql/syntax/type_check.h"

namespace varve::promql {
namespace {

Status TooLong(std::string_view text) {
  return InvalidArgument("the query has " + std::to_string(text.size()) + " bytes; " + std::to_string(kQueryBytesMax) +
                         " are allowed");
}

Status ErrorOf(const ExpressionParser& parser, std::string_view text) {
  return InvalidArgument(ErrorText(*parser.error(), text));
}

// Selectors and logql() calls, in order of the text.
void CollectSources(const Expr& expr, std::vector<const Expr*>* out) {
  switch (expr.kind) {
    case ExprKind::kVectorSelector:
    case ExprKind::kLogql: out->push_back(&expr); return;
    case ExprKind::kMatrixSelector: out->push_back(Cast<MatrixSelector>(expr).selector.get()); return;
    case ExprKind::kSubquery: return CollectSources(*Cast<Subquery>(expr).expr, out);
    case ExprKind::kAggregate: {
      const auto& aggregate = Cast<Aggregate>(expr);
      if (aggregate.param) CollectSources(*aggregate.param, out);
      return CollectSources(*aggregate.expr, out);
    }
    case ExprKind::kBinary:
      CollectSources(*Cast<Binary>(expr).lhs, out);
      return CollectSources(*Cast<Binary>(expr).rhs, out);
    case ExprKind::kCall:
      for (const ExprPtr& arg : Cast<Call>(expr).args) CollectSources(*arg, out);
      return;
    case ExprKind::kUnary: return CollectSources(*Cast<Unary>(expr).expr, out);
    case ExprKind::kParen: return CollectSources(*Cast<Paren>(expr).expr, out);
    case ExprKind::kNumber:
    case ExprKind::kString:
    case ExprKind::kDuration: return;
  }
}

template <typename T>
std::vector<const T*> SourcesOf(const Expr& expr) {
  std::vector<const Expr*> sources;
  CollectSources(expr, &sources);
  std::vector<const T*> out;
  for (const Expr* source : sources) {
    if (source->kind == T::kKind) out.push_back(&Cast<T>(*source));
  }
  return out;
}

}  // namespace

std::string ErrorText(const ParseError& error, std::string_view query) {
  std::string where = "unknown position";
  if (!query.empty()) {
    const auto begin = std::min(static_cast<size_t>(error.pos.begin), query.size());
    const std::string_view before = query.substr(0, begin);
    const size_t line = 1 + static_cast<size_t>(std::count(before.begin(), before.end(), '\n'));
    const size_t newline = before.rfind('\n');
    const size_t column = newline == std::string_view::npos ? begin + 1 : begin - newline;
    where = std::to_string(line) + ":" + std::to_string(column);
  }
  return where + ": parse error: " + error.message;
}

Result<ExprPtr> ParseExpr(std::string_view query) {
  if (query.size() > kQueryBytesMax) return TooLong(query);
  ExpressionParser parser(query);
  ExprPtr expr = parser.ParseAll();
  if (!expr) return ErrorOf(parser, query);
  if (const std::optional<ParseError> error = CheckTypes(query, expr.get())) {
    return InvalidArgument(ErrorText(*error, query));
  }
  return expr;
}

Result<std::vector<Matcher>> ParseSelector(std::string_view text) {
  if (text.size() > kQueryBytesMax) return TooLong(text);
  ExpressionParser parser(text);
  std::unique_ptr<VectorSelector> selector = parser.ParseSelectorAll();
  if (!selector) return ErrorOf(parser, text);
  if (std::all_of(selector->matchers.begin(), selector->matchers.end(),
                  [](const Matcher& matcher) { return matcher.MatchesEmpty(); })) {
    return InvalidArgument("match[] must contain at least one non-empty matcher");
  }
  return std::move(selector->matchers);
}

Result<PackedLabels> ParseMetric(std::string_view text) {
  if (text.size() > kQueryBytesMax) return TooLong(text);
  ExpressionParser parser(text);
  std::vector<std::pair<std::string, std::string>> pairs;
  if (!parser.ParseMetricAll(&pairs)) return ErrorOf(parser, text);
  std::vector<LabelView> labels;
  labels.reserve(pairs.size());
  for (const auto& [name, value] : pairs) labels.push_back({name, value});
  std::sort(labels.begin(), labels.end(), [](const LabelView& a, const LabelView& b) { return a.name < b.name; });
  const auto twice = std::adjacent_find(labels.begin(), labels.end(),
                                        [](const LabelView& a, const LabelView& b) { return a.name == b.name; });
  if (twice != labels.end()) return InvalidArgument("the label " + GoQuoted(twice->name) + " is given twice");
  return PackedLabels::FromUnsorted(std::move(labels));
}

Result<int64_t> ParseDuration(std::string_view text) {
  Result<int64_t> ns = ParseDurationNs(text);
  if (ns.ok()) return *ns / 1'000'000;
  const Result<double> seconds = ParseNumber(text);
  // Beyond this, nanoseconds leave 64 bits.
  if (!seconds.ok() || !(*seconds < 9.2e9 && *seconds > -9.2e9)) return std::move(ns).status();
  return static_cast<int64_t>(*seconds * 1000);
}

std::vector<const VectorSelector*> Selectors(const Expr& expr) { return SourcesOf<VectorSelector>(expr); }

std::vector<const LogqlVector*> LogqlVectors(const Expr& expr) { return SourcesOf<LogqlVector>(expr); }

}  // namespace varve::promql
