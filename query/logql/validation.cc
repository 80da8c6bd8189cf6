#include "query/logql/validation.h"

#include <algorithm>
#include <charconv>

#include "query/logql/lexer.h"
#include "query/logql/literals.h"
#include "query/logql/parser.h"
#include "query/logql/printer.h"

namespace varve::logql {
namespace {

bool MayGroup(RangeOp op) {
  switch (op) {
    case RangeOp::kAvgOverTime:
    case RangeOp::kStddevOverTime:
    case RangeOp::kStdvarOverTime:
    case RangeOp::kQuantileOverTime:
    case RangeOp::kMaxOverTime:
    case RangeOp::kMinOverTime:
    case RangeOp::kFirstOverTime:
    case RangeOp::kLastOverTime:
    case RangeOp::kCountDistinctOverTime: return true;
    default: return false;
  }
}

bool MayUnwrap(RangeOp op) {
  switch (op) {
    case RangeOp::kCountOverTime:
    case RangeOp::kBytesOverTime:
    case RangeOp::kBytesRate: return false;
    default: return true;
  }
}

bool MustUnwrap(RangeOp op) {
  switch (op) {
    case RangeOp::kCountOverTime:
    case RangeOp::kBytesOverTime:
    case RangeOp::kBytesRate:
    case RangeOp::kRate:
    case RangeOp::kAbsentOverTime: return false;
    default: return true;
  }
}

std::string_view LogQueryTypeName(const Expr& expr) {
  return std::get<LogSelector>(expr.node).stages.empty() ? "*syntax.MatchersExpr" : "*syntax.PipelineExpr";
}

Status CheckSide(std::string_view side, BinaryOp op, const Expr& expr) {
  if (!expr.is_log_query()) return Status::Ok();
  return SemanticError("unexpected type for " + std::string(side) + " leg of binary operation (" +
                       std::string(BinaryOpText(op)) + "): " + std::string(LogQueryTypeName(expr)));
}

Status CheckSetOperand(std::string_view side, BinaryOp op, const Expr& expr) {
  const auto* literal = std::get_if<LiteralNumber>(&expr.node);
  if (literal == nullptr) return Status::Ok();
  std::string message = "unexpected literal for " + std::string(side) +
                        " leg of logical/set binary operation (" + std::string(BinaryOpText(op)) + "): ";
  AppendFixedNumber(&message, literal->value);
  return SemanticError(std::move(message));
}

// The longest text of a regular expression in what it is shown.
class LongestRegex {
 public:
  size_t bytes() const { return bytes_; }

  void See(const Expr& expr) {
    std::visit([this](const auto& node) { SeeNode(node); }, expr.node);
  }

 private:
  void SeeText(std::string_view text) { bytes_ = std::max(bytes_, text.size()); }
  void SeeMatcher(const Matcher& matcher) {
    if (matcher.op() == MatchOp::kRegexMatch || matcher.op() == MatchOp::kRegexNotMatch)
      SeeText(matcher.value());
  }
  void SeeSelections(const std::vector<LabelSelection>& items) {
    for (const LabelSelection& item : items) {
      if (item.matcher) SeeMatcher(*item.matcher);
    }
  }
  void SeeFilter(const LabelFilter& filter) {
    if (const auto* string = std::get_if<StringLabelFilter>(&filter.node)) return SeeMatcher(string->matcher);
    if (const auto* binary = std::get_if<BinaryLabelFilter>(&filter.node)) {
      SeeFilter(*binary->left);
      SeeFilter(*binary->right);
    }
  }
  void SeeStage(const Stage& stage) {
    if (const auto* line = std::get_if<LineFilter>(&stage)) {
      if (line->op != LineFilterOp::kRegex && line->op != LineFilterOp::kNotRegex) return;
      for (const LineFilterTerm& term : line->terms) SeeText(term.text);
    } else if (const auto* regexp = std::get_if<RegexpParser>(&stage)) {
      SeeText(regexp->pattern);
    } else if (const auto* filter = std::get_if<LabelFilterStage>(&stage)) {
      SeeFilter(*filter->filter);
    } else if (const auto* drop = std::get_if<DropLabels>(&stage)) {
      SeeSelections(drop->items);
    } else if (const auto* keep = std::get_if<KeepLabels>(&stage)) {
      SeeSelections(keep->items);
    }
  }

  void SeeNode(const LogSelector& selector) {
    for (const Matcher& matcher : selector.matchers) SeeMatcher(matcher);
    for (const Stage& stage : selector.stages) SeeStage(stage);
  }
  void SeeNode(const RangeAggregation& range) {
    SeeNode(range.range.selector);
    if (!range.range.unwrap) return;
    for (const LabelFilterPtr& filter : range.range.unwrap->post_filters) SeeFilter(*filter);
  }
  void SeeNode(const VectorAggregation& vector) { See(*vector.operand); }
  void SeeNode(const BinaryOperation& binary) {
    See(*binary.left);
    See(*binary.right);
  }
  void SeeNode(const LabelReplace& replace) {
    SeeText(replace.pattern);
    See(*replace.operand);
  }
  void SeeNode(const LiteralNumber&) {}
  void SeeNode(const VectorFunction&) {}

  size_t bytes_ = 0;
};

}  // namespace

Status SemanticError(std::string message) { return ParseErrorAt(0, 0, message); }

void RegexBudget::Charge(const Regex& regex) {
  constexpr int64_t kLeast = kRegexInstructionsMax / 1000;
  instructions_ += std::max<int64_t>(regex->ProgramSize(), kLeast);
}

Status RegexBudget::status() const {
  if (instructions_ <= kRegexInstructionsMax) return Status::Ok();
  return SemanticError("too many or too large regular expressions (more than " +
                       std::to_string(kRegexInstructionsMax) + " instructions in all)");
}

Status CheckRangeAggregation(const std::optional<std::string>& parameter, RangeAggregation* aggregation) {
  const RangeOp op = aggregation->op;
  const std::string name(RangeOpName(op));
  if (op == RangeOp::kQuantileOverTime) {
    if (!parameter) return SemanticError("parameter required for operation " + name);
    Result<double> value = ParseNumber(*parameter);
    if (!value.ok()) {
      return SemanticError("invalid parameter for operation " + name + ": " + value.status().message());
    }
    aggregation->parameter = *value;
  } else if (parameter) {
    return SemanticError("parameter " + *parameter + " not supported for operation " + name);
  }
  if (aggregation->grouping && !MayGroup(op))
    return SemanticError("grouping not allowed for " + name + " aggregation");
  const bool unwraps = aggregation->range.unwrap.has_value();
  if (unwraps && !MayUnwrap(op)) return SemanticError("invalid aggregation " + name + " with unwrap");
  if (!unwraps && MustUnwrap(op)) return SemanticError("invalid aggregation " + name + " without unwrap");
  if (op == RangeOp::kCountDistinctOverTime &&
      aggregation->range.unwrap->conversion != UnwrapConversion::kNone) {
    return SemanticError("invalid aggregation " + name + " with unwrap conversion " +
                         std::string(UnwrapConversionName(aggregation->range.unwrap->conversion)));
  }
  return Status::Ok();
}

Status CheckVectorAggregation(const std::optional<std::string>& parameter, VectorAggregation* aggregation) {
  const std::string name(VectorOpName(aggregation->op));
  switch (aggregation->op) {
    case VectorOp::kTopk:
    case VectorOp::kBottomk:
    case VectorOp::kApproxTopk: {
      if (!parameter) return SemanticError("parameter required for operation " + name);
      const char* const end = parameter->data() + parameter->size();
      const auto [stop, error] = std::from_chars(parameter->data(), end, aggregation->parameter);
      if (error != std::errc() || stop != end) {
        return SemanticError("invalid parameter " + name + "(" + *parameter + ",");
      }
      if (aggregation->parameter <= 0) {
        return SemanticError("invalid parameter (must be greater than 0) " + name + "(" + *parameter);
      }
      if (aggregation->op == VectorOp::kApproxTopk && aggregation->grouping) {
        return SemanticError("grouping not allowed for " + name + " aggregation");
      }
      return Status::Ok();
    }
    case VectorOp::kSort:
    case VectorOp::kSortDesc:
      if (aggregation->grouping) return SemanticError("sort and sort_desc doesn't allow grouping by");
      break;
    default: break;
  }
  if (parameter) return SemanticError("unsupported parameter for operation " + name + "(" + *parameter + ",");
  return Status::Ok();
}

Status CheckLineFilter(const LineFilter& filter, RegexBudget* budget) {
  const auto stage_error = [&filter](std::string_view message) {
    return SemanticError("stage '" + Print(Stage(filter)) + "' : " + std::string(message));
  };
  const bool is_regex = filter.op == LineFilterOp::kRegex || filter.op == LineFilterOp::kNotRegex;
  const bool is_substring = filter.op == LineFilterOp::kContains || filter.op == LineFilterOp::kNotContains;
  for (const LineFilterTerm& term : filter.terms) {
    if (term.is_ip) {
      if (!is_substring) return stage_error("ip: invalid operation");
    } else if (is_regex) {
      Result<Regex> regex = CompileRegex(term.text, {});
      if (!regex.ok()) return stage_error(regex.status().message());
      budget->Charge(*regex);
      if (!budget->status().ok()) return budget->status();
    }
  }
  return Status::Ok();
}

Status CheckOperands(BinaryOp op, const Expr& left, const Expr& right) {
  VARVE_RETURN_IF_ERROR(CheckSide("left", op, left));
  VARVE_RETURN_IF_ERROR(CheckSide("right", op, right));
  if (!IsSetOp(op)) return Status::Ok();
  VARVE_RETURN_IF_ERROR(CheckSetOperand("left", op, left));
  return CheckSetOperand("right", op, right);
}

Status CheckRegexSizes(const Expr& expr, size_t bytes_max) {
  if (bytes_max == 0) return Status::Ok();
  LongestRegex longest;
  longest.See(expr);
  if (longest.bytes() <= bytes_max) return Status::Ok();
  return InvalidArgument("regular expression of " + std::to_string(longest.bytes()) +
                         " bytes exceeds limits.max_regex_size (" + std::to_string(bytes_max) + ")");
}

Status ValidateMatchers(const std::vector<Matcher>& matchers) {
  const bool selective = std::any_of(matchers.begin(), matchers.end(),
                                     [](const Matcher& matcher) { return !matcher.MatchesEmpty(); });
  if (selective) return Status::Ok();
  return SemanticError(
      "queries require at least one regexp or equality matcher that does not have an empty-compatible value. "
      "For "
      "instance, app=~\".*\" does not meet this requirement, but app=~\".+\" will");
}

Status ValidateSelectors(const Expr& expr) {
  struct Visitor {
    Status operator()(const LogSelector& selector) const { return ValidateMatchers(selector.matchers); }
    Status operator()(const RangeAggregation& range) const {
      return ValidateMatchers(range.range.selector.matchers);
    }
    Status operator()(const VectorAggregation& vector) const { return ValidateSelectors(*vector.operand); }
    Status operator()(const BinaryOperation& binary) const {
      VARVE_RETURN_IF_ERROR(ValidateSelectors(*binary.left));
      return ValidateSelectors(*binary.right);
    }
    Status operator()(const LabelReplace& replace) const { return ValidateSelectors(*replace.operand); }
    Status operator()(const LiteralNumber&) const { return Status::Ok(); }
    Status operator()(const VectorFunction&) const { return Status::Ok(); }
  };
  return std::visit(Visitor(), expr.node);
}

}  // namespace varve::logql
