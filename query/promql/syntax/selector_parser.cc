// Selectors, and what stands behind an expression: [range], [range:step], offset, @, anchored, smoothed.
#include <cmath>
#include <cstdio>
#include <limits>

#include "engine/model/labels.h"
#include "engine/model/packed_labels.h"
#include "query/promql/syntax/expression_parser.h"
#include "query/promql/syntax/number_text.h"

namespace varve::promql {
namespace {

using LabelPairs = std::vector<std::pair<std::string, std::string>>;

std::optional<MatchOp> MatchOperator(TokenType type) {
  switch (type) {
    case TokenType::kAssign: return MatchOp::kEqual;
    case TokenType::kNe: return MatchOp::kNotEqual;
    case TokenType::kRegexMatch: return MatchOp::kRegexMatch;
    case TokenType::kRegexNotMatch: return MatchOp::kRegexNotMatch;
    default: return std::nullopt;
  }
}

int64_t RoundedMs(double seconds) { return static_cast<int64_t>(std::round(seconds * 1e9)) / 1'000'000; }

// "%f" of Go.
std::string FixedNumber(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::string out(400, '\0');
  out.resize(static_cast<size_t>(std::snprintf(out.data(), out.size(), "%f", value)));
  return out;
}

}  // namespace

std::unique_ptr<VectorSelector> ExpressionParser::ParseVectorSelector(const Token* name) {
  auto selector = std::make_unique<VectorSelector>();
  if (name != nullptr) {
    selector->name = name->text;
    selector->pos = name->pos();
  }
  if (Is(TokenType::kLeftBrace)) {
    if (name == nullptr) selector->pos.begin = Peek().begin;
    if (!ParseMatchers(selector.get())) return nullptr;
  } else if (error_) {
    return nullptr;
  }
  if (name != nullptr) {
    Result<Matcher> matcher = Matcher::Create(std::string(kMetricName), MatchOp::kEqual, selector->name);
    if (!matcher.ok()) return Fail(selector->pos, matcher.status().message());
    selector->matchers.push_back(std::move(*matcher));
  }
  return selector;
}

bool ExpressionParser::ParseMatchers(VectorSelector* selector) {
  next_.reset();  // the brace
  while (!Is(TokenType::kRightBrace)) {
    if (!ParseMatcher(&selector->matchers)) return false;
    if (TakeIf(TokenType::kComma)) continue;
    if (Is(TokenType::kRightBrace)) break;
    Unexpected("label matching", "\",\" or \"}\"");
    return false;
  }
  selector->pos.end = Take().pos().end;
  return !error_;
}

bool ExpressionParser::ParseMatcher(std::vector<Matcher>* matchers) {
  const auto unexpected = [this](std::string_view expected) {
    Unexpected("label matching", expected);
    return false;
  };
  if (!Is(TokenType::kIdentifier) && !Is(TokenType::kString)) return unexpected("identifier or \"}\"");
  const Token label = Take();
  std::string name(label.text);
  std::string value;
  if (label.type == TokenType::kString && !Unquoted(label, &name)) return false;
  std::optional<MatchOp> op = MatchOperator(Peek().type);
  PositionRange pos = label.pos();
  if (error_) return false;
  if (op) {
    next_.reset();
    if (!Is(TokenType::kString)) return unexpected("string");
    const Token text = Take();
    if (!Unquoted(text, &value)) return false;
    pos.end = text.pos().end;
  } else if (label.type == TokenType::kIdentifier) {
    return unexpected("label matching operator");
  } else {
    // A lone string is the metric's name.
    value = std::exchange(name, std::string(kMetricName));
    op = MatchOp::kEqual;
  }
  Result<Matcher> matcher = Matcher::Create(std::move(name), *op, std::move(value));
  if (!matcher.ok()) {
    Fail(pos, matcher.status().message());
    return false;
  }
  matchers->push_back(std::move(*matcher));
  return true;
}

std::unique_ptr<VectorSelector> ExpressionParser::ParseSelectorAll() {
  std::unique_ptr<VectorSelector> selector;
  if (CanBeMetricName(Peek().type)) {
    const Token name = Take();
    selector = ParseVectorSelector(&name);
  } else if (Is(TokenType::kLeftBrace)) {
    selector = ParseVectorSelector(nullptr);
  } else {
    return Unexpected("", "");
  }
  if (selector && !Is(TokenType::kEnd)) return Unexpected("", "");
  return selector;
}

bool ExpressionParser::ParseMetricAll(LabelPairs* labels) {
  std::string name;
  if (CanBeMetricName(Peek().type)) name = Take().text;
  if (Is(TokenType::kLeftBrace) && !ParseLabelSet(labels)) return false;
  if (!name.empty()) {
    std::erase_if(*labels, [](const auto& label) { return label.first == kMetricName; });
    labels->emplace_back(kMetricName, name);
  }
  if (!Is(TokenType::kEnd)) Unexpected("", "");
  return !error_;
}

bool ExpressionParser::ParseLabelSet(LabelPairs* labels) {
  next_.reset();  // the brace
  while (!Is(TokenType::kRightBrace)) {
    if (!ParseLabelSetItem(labels)) return false;
    if (TakeIf(TokenType::kComma)) continue;
    if (Is(TokenType::kRightBrace)) break;
    Unexpected("label set", "\",\" or \"}\"");
    return false;
  }
  next_.reset();
  return true;
}

bool ExpressionParser::ParseLabelSetItem(LabelPairs* labels) {
  const auto unexpected = [this](std::string_view expected) {
    Unexpected("label set", expected);
    return false;
  };
  if (!Is(TokenType::kIdentifier) && !Is(TokenType::kString)) return unexpected("identifier or \"}\"");
  const Token label = Take();
  std::string name(label.text);
  std::string value;
  if (label.type == TokenType::kString && !Unquoted(label, &name)) return false;
  if (TakeIf(TokenType::kAssign)) {
    if (!Is(TokenType::kString)) return unexpected("string");
    if (!Unquoted(Take(), &value)) return false;
  } else if (label.type == TokenType::kIdentifier) {
    return unexpected("\"=\"");
  } else {
    value = std::exchange(name, std::string(kMetricName));
  }
  labels->emplace_back(std::move(name), std::move(value));
  return true;
}

ExprPtr ExpressionParser::ParsePostfix(ExprPtr expr) {
  while (expr && !error_) {
    switch (Peek().type) {
      case TokenType::kLeftBracket: expr = ParseBrackets(std::move(expr)); break;
      case TokenType::kOffset:
        if (!ParseOffset(expr.get())) return nullptr;
        break;
      case TokenType::kAt:
        if (!ParseAt(expr.get())) return nullptr;
        break;
      case TokenType::kAnchored:
      case TokenType::kSmoothed:
        if (!ParseExtension(expr.get(), Take())) return nullptr;
        break;
      default: return error_ ? nullptr : std::move(expr);
    }
  }
  return nullptr;
}

// The number or the expression of a duration in the place for it.
static void SetDuration(ExprPtr duration, int64_t* ms, std::unique_ptr<DurationExpr>* expr) {
  if (duration->kind == ExprKind::kNumber) {
    *ms = RoundedMs(Cast<NumberLiteral>(*duration).value);
  } else {
    expr->reset(&Cast<DurationExpr>(*duration.release()));
  }
}

ExprPtr ExpressionParser::ParseBrackets(ExprPtr expr) {
  const Token open = Take();
  static constexpr std::string_view kDurations = "number, duration, step(), or range()";
  ExprPtr range = ParsePositiveDuration();
  if (!range) return error_ ? nullptr : Unexpected("subquery or range selector", kDurations);
  if (Is(TokenType::kRightBracket)) {
    return MakeMatrix(std::move(expr), std::move(range), {open.begin, Take().pos().end});
  }
  if (!TakeIf(TokenType::kColon)) return Unexpected("subquery or range", "\":\" or \"]\"");
  auto subquery = std::make_unique<Subquery>();
  SetDuration(std::move(range), &subquery->range_ms, &subquery->range_expr);
  if (!Is(TokenType::kRightBracket)) {
    ExprPtr step = ParsePositiveDuration();
    if (!step) {
      return error_ ? nullptr : Unexpected("subquery selector", "number, duration, step(), range(), or \"]\"");
    }
    SetDuration(std::move(step), &subquery->step_ms, &subquery->step_expr);
    if (!Is(TokenType::kRightBracket)) return Unexpected("subquery selector", "\"]\"");
  }
  subquery->pos = {expr->pos.begin, Take().pos().end};
  if (!SetDepth(subquery.get(), {expr.get()})) return nullptr;
  subquery->expr = std::move(expr);
  return subquery;
}

ExprPtr ExpressionParser::MakeMatrix(ExprPtr expr, ExprPtr range, PositionRange brackets) {
  if (expr->kind != ExprKind::kVectorSelector) return Fail(brackets, "ranges only allowed for vector selectors");
  const TimeShift& shift = Cast<VectorSelector>(*expr).shift;
  if (shift.offset_ms != 0 || shift.offset_expr) return Fail(brackets, "no offset modifiers allowed before range");
  if (shift.at_ms || shift.at_anchor != AtAnchor::kNone) return Fail(brackets, "no @ modifiers allowed before range");
  auto matrix = std::make_unique<MatrixSelector>();
  matrix->pos = {expr->pos.begin, brackets.end};
  if (!SetDepth(matrix.get(), {expr.get()})) return nullptr;
  SetDuration(std::move(range), &matrix->range_ms, &matrix->range_expr);
  matrix->selector.reset(&Cast<VectorSelector>(*expr.release()));
  return matrix;
}

TimeShift* ExpressionParser::ShiftOf(Expr* expr, std::string_view modifier) {
  switch (expr->kind) {
    case ExprKind::kVectorSelector: return &Cast<VectorSelector>(*expr).shift;
    case ExprKind::kMatrixSelector: return &Cast<MatrixSelector>(*expr).selector->shift;
    case ExprKind::kSubquery: return &Cast<Subquery>(*expr).shift;
    default: break;
  }
  return Fail(expr->pos, std::string(modifier) +
                             " modifier must be preceded by an instant vector selector or range vector selector or a "
                             "subquery");
}

bool ExpressionParser::ParseOffset(Expr* expr) {
  next_.reset();
  ExprPtr duration = ParseOffsetDuration();
  if (!duration) {
    if (!error_) Unexpected("offset", "number, duration, step(), or range()");
    return false;
  }
  TimeShift* shift = ShiftOf(expr, "offset");
  if (shift == nullptr) return false;
  if (shift->offset_ms != 0 || shift->offset_expr) {
    Fail(expr->pos, "offset may not be set multiple times");
    return false;
  }
  expr->pos.end = duration->pos.end;
  SetDuration(std::move(duration), &shift->offset_ms, &shift->offset_expr);
  return true;
}

bool ExpressionParser::ParseAt(Expr* expr) {
  const auto unexpected = [this] {
    Unexpected("@", "timestamp");
    return false;
  };
  next_.reset();
  AtAnchor anchor = AtAnchor::kNone;
  double seconds = 0;
  int32_t end = 0;
  if (Is(TokenType::kStart) || Is(TokenType::kEndWord)) {
    anchor = Take().type == TokenType::kStart ? AtAnchor::kStart : AtAnchor::kEnd;
    if (!TakeIf(TokenType::kLeftParen) || !Is(TokenType::kRightParen)) return unexpected();
    end = Take().pos().end;
  } else {
    bool negate = false;
    if (Is(TokenType::kAdd) || Is(TokenType::kSub)) negate = Take().type == TokenType::kSub;
    if (!Is(TokenType::kNumber) && !Is(TokenType::kDuration)) return unexpected();
    const ExprPtr number = ParseNumber();
    if (!number) return false;
    end = number->pos.end;
    seconds = Cast<NumberLiteral>(*number).value;
    if (negate) seconds = -seconds;
    constexpr double kMax = static_cast<double>(std::numeric_limits<int64_t>::max());
    if (!(seconds < kMax && seconds > -kMax)) {
      Fail(expr->pos, "timestamp out of bounds for @ modifier: " + FixedNumber(seconds));
      return false;
    }
  }
  TimeShift* shift = ShiftOf(expr, "@");
  if (shift == nullptr) return false;
  if (shift->at_ms || shift->at_anchor != AtAnchor::kNone) {
    Fail(expr->pos, "@ <timestamp> may not be set multiple times");
    return false;
  }
  shift->at_anchor = anchor;
  if (anchor == AtAnchor::kNone) {
    // Times near the ends of 64 bits do not fit in milliseconds.
    const double ms = std::round(seconds * 1000);
    constexpr double kMaxMs = 9.2e18;
    shift->at_ms = static_cast<int64_t>(std::clamp(ms, -kMaxMs, kMaxMs));
  }
  expr->pos.end = end;
  return true;
}

bool ExpressionParser::ParseExtension(Expr* expr, const Token& word) {
  const bool anchored = word.type == TokenType::kAnchored;
  const std::string name = anchored ? "anchored" : "smoothed";
  VectorSelector* selector = nullptr;
  if (expr->kind == ExprKind::kVectorSelector) selector = &Cast<VectorSelector>(*expr);
  if (expr->kind == ExprKind::kMatrixSelector) selector = Cast<MatrixSelector>(*expr).selector.get();
  if (selector == nullptr) {
    const bool subquery = expr->kind == ExprKind::kSubquery;
    Fail(expr->pos, name + (subquery ? " modifier is not supported for subqueries" : " modifier not implemented"));
    return false;
  }
  (anchored ? selector->anchored : selector->smoothed) = true;
  if (selector->anchored && selector->smoothed) {
    Fail(expr->pos, "anchored and smoothed modifiers cannot be used together");
    return false;
  }
  return true;
}

}  // namespace varve::promql
