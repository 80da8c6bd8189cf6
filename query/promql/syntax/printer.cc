// The canonical form of an expression on one line.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "engine/model/labels.h"
#include "engine/model/packed_labels.h"
#include "query/promql/syntax/function_table.h"
#include "query/promql/syntax/number_text.h"
#include "query/promql/syntax/parser.h"
#include "query/promql/syntax/print_parts.h"

namespace varve::promql {

namespace {

void AppendLabels(std::string* out, const std::vector<std::string>& labels) {
  out->push_back('(');
  for (size_t i = 0; i < labels.size(); ++i) {
    if (i > 0) out->append(", ");
    if (IsValidLabelName(labels[i])) {
      out->append(labels[i]);
    } else {
      AppendGoQuoted(out, labels[i]);
    }
  }
  out->push_back(')');
}

void AppendDurationExpr(std::string* out, const DurationExpr& expr) {
  static constexpr std::string_view kTexts[] = {" + ", " - ", " * ", " / ", " % ", " ^ "};
  const auto call = [&](std::string_view name) {
    out->append(name).push_back('(');
    AppendExpr(out, *expr.lhs);
    out->append(", ");
    AppendExpr(out, *expr.rhs);
    out->push_back(')');
  };
  if (expr.wrapped) out->push_back('(');
  switch (expr.op) {
    case DurationExpr::Op::kStep: out->append("step()"); break;
    case DurationExpr::Op::kRange: out->append("range()"); break;
    case DurationExpr::Op::kMin: call("min_of"); break;
    case DurationExpr::Op::kMax: call("max_of"); break;
    default:
      if (expr.lhs) {
        AppendExpr(out, *expr.lhs);
        out->append(kTexts[static_cast<size_t>(expr.op)]);
      } else if (expr.op == DurationExpr::Op::kSub) {
        out->push_back('-');
      }
      AppendExpr(out, *expr.rhs);
  }
  if (expr.wrapped) out->push_back(')');
}

void AppendAt(std::string* out, const TimeShift& shift) {
  if (shift.at_anchor == AtAnchor::kStart) {
    out->append(" @ start()");
  } else if (shift.at_anchor == AtAnchor::kEnd) {
    out->append(" @ end()");
  } else if (shift.at_ms) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, " @ %.3f", static_cast<double>(*shift.at_ms) / 1000.0);
    out->append(buffer);
  }
}

void AppendOffset(std::string* out, const TimeShift& shift) {
  if (shift.offset_expr) {
    out->append(" offset ");
    AppendDurationExpr(out, *shift.offset_expr);
  } else if (shift.offset_ms != 0) {
    out->append(shift.offset_ms < 0 ? " offset -" : " offset ");
    AppendDuration(out, std::abs(shift.offset_ms));
  }
}

void AppendDurationOr(std::string* out, const std::unique_ptr<DurationExpr>& expr, int64_t ms) {
  if (expr) {
    AppendDurationExpr(out, *expr);
  } else {
    AppendDuration(out, ms);
  }
}

// Name and matchers, without what moves it in time.
void AppendSelector(std::string* out, const VectorSelector& selector) {
  std::vector<std::string> matchers;
  for (const Matcher& matcher : selector.matchers) {
    const bool bare_name = matcher.name() == kMetricName && matcher.op() == MatchOp::kEqual &&
                           matcher.value() == selector.name && !matcher.value().empty();
    if (bare_name) continue;
    std::string text;
    if (IsValidLabelName(matcher.name())) {
      text = matcher.name();
    } else {
      AppendGoQuoted(&text, matcher.name());
    }
    text += MatchOpText(matcher.op());
    AppendGoQuoted(&text, matcher.value());
    matchers.push_back(std::move(text));
  }
  out->append(selector.name);
  if (matchers.empty()) return;
  std::sort(matchers.begin(), matchers.end());
  for (size_t i = 0; i < matchers.size(); ++i) {
    out->push_back(i == 0 ? '{' : ',');
    out->append(matchers[i]);
  }
  out->push_back('}');
}

void AppendExtension(std::string* out, const VectorSelector& selector) {
  if (selector.anchored) out->append(" anchored");
  if (selector.smoothed) out->append(" smoothed");
}

void AppendVectorSelector(std::string* out, const VectorSelector& selector) {
  AppendSelector(out, selector);
  AppendAt(out, selector.shift);
  AppendExtension(out, selector);
  AppendOffset(out, selector.shift);
}

void AppendMatrixSelector(std::string* out, const MatrixSelector& matrix) {
  AppendSelector(out, *matrix.selector);
  out->push_back('[');
  AppendDurationOr(out, matrix.range_expr, matrix.range_ms);
  out->push_back(']');
  AppendExtension(out, *matrix.selector);
  AppendAt(out, matrix.selector->shift);
  AppendOffset(out, matrix.selector->shift);
}

void AppendNumber(std::string* out, const NumberLiteral& number) {
  if (!number.is_duration) return AppendPlainNumber(out, number.value);
  if (number.value < 0) out->push_back('-');
  AppendDuration(out, static_cast<int64_t>(std::fabs(number.value) * 1e9) / 1'000'000);
}

}  // namespace

void AppendSubquerySuffix(std::string* out, const Subquery& subquery) {
  out->push_back('[');
  AppendDurationOr(out, subquery.range_expr, subquery.range_ms);
  out->push_back(':');
  if (subquery.step_expr || subquery.step_ms != 0) AppendDurationOr(out, subquery.step_expr, subquery.step_ms);
  out->push_back(']');
  AppendAt(out, subquery.shift);
  AppendOffset(out, subquery.shift);
}

void AppendAggregateHead(std::string* out, const Aggregate& aggregate) {
  out->append(AggregateName(aggregate.op));
  if (!aggregate.without && aggregate.grouping.empty()) return;
  out->append(aggregate.without ? " without " : " by ");
  AppendLabels(out, aggregate.grouping);
  out->push_back(' ');
}

void AppendOperator(std::string* out, const Binary& binary) {
  out->append(BinaryOpText(binary.op));
  if (binary.return_bool) out->append(" bool");
  if (!binary.matching) return;
  const VectorMatching& matching = *binary.matching;
  const bool grouped =
      matching.card == MatchCardinality::kManyToOne || matching.card == MatchCardinality::kOneToMany;
  if (!matching.labels.empty() || matching.on || grouped) {
    out->append(matching.on ? " on " : " ignoring ");
    AppendLabels(out, matching.labels);
  }
  if (grouped) {
    out->append(matching.card == MatchCardinality::kManyToOne ? " group_left " : " group_right ");
    AppendLabels(out, matching.include);
  }
  const auto fill = [&](std::string_view word, double value) {
    out->append(word).append(" (");
    AppendGoNumber(out, value);
    out->push_back(')');
  };
  if (matching.fill_left && matching.fill_right && *matching.fill_left == *matching.fill_right) {
    fill(" fill", *matching.fill_left);
    return;
  }
  if (matching.fill_left) fill(" fill_left", *matching.fill_left);
  if (matching.fill_right) fill(" fill_right", *matching.fill_right);
}

void AppendExpr(std::string* out, const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kNumber: return AppendNumber(out, Cast<NumberLiteral>(expr));
    case ExprKind::kString: return AppendGoQuoted(out, Cast<StringLiteral>(expr).value);
    case ExprKind::kVectorSelector: return AppendVectorSelector(out, Cast<VectorSelector>(expr));
    case ExprKind::kMatrixSelector: return AppendMatrixSelector(out, Cast<MatrixSelector>(expr));
    case ExprKind::kSubquery:
      AppendExpr(out, *Cast<Subquery>(expr).expr);
      return AppendSubquerySuffix(out, Cast<Subquery>(expr));
    case ExprKind::kAggregate: {
      const auto& aggregate = Cast<Aggregate>(expr);
      AppendAggregateHead(out, aggregate);
      out->push_back('(');
      if (aggregate.param) {
        AppendExpr(out, *aggregate.param);
        out->append(", ");
      }
      AppendExpr(out, *aggregate.expr);
      out->push_back(')');
      return;
    }
    case ExprKind::kBinary: {
      const auto& binary = Cast<Binary>(expr);
      AppendExpr(out, *binary.lhs);
      out->push_back(' ');
      AppendOperator(out, binary);
      out->push_back(' ');
      return AppendExpr(out, *binary.rhs);
    }
    case ExprKind::kCall: {
      const auto& call = Cast<Call>(expr);
      out->append(call.function->name).push_back('(');
      for (size_t i = 0; i < call.args.size(); ++i) {
        if (i > 0) out->append(", ");
        AppendExpr(out, *call.args[i]);
      }
      out->push_back(')');
      return;
    }
    case ExprKind::kUnary:
      out->push_back(Cast<Unary>(expr).negate ? '-' : '+');
      return AppendExpr(out, *Cast<Unary>(expr).expr);
    case ExprKind::kParen:
      out->push_back('(');
      AppendExpr(out, *Cast<Paren>(expr).expr);
      out->push_back(')');
      return;
    case ExprKind::kDuration: return AppendDurationExpr(out, Cast<DurationExpr>(expr));
    case ExprKind::kLogql:
      out->append("logql(");
      AppendGoQuoted(out, Cast<LogqlVector>(expr).query);
      out->push_back(')');
      return;
  }
}

std::string ToString(const Expr& expr) {
  std::string out;
  AppendExpr(&out, expr);
  return out;
}

}  // namespace varve::promql
