#include "query/logql/printer.h"

#include <cmath>

#include "engine/model/labels.h"
#include "query/logql/literals.h"
#include "query/logql/printer_state.h"

namespace varve::logql {
namespace {

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace

void LinePrinter::Quoted(std::string_view text) { AppendGoQuoted(out_, text); }

void LinePrinter::Names(const std::vector<std::string>& names, std::string_view separator) {
  *out_ += '(';
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) *out_ += separator;
    *out_ += names[i];
  }
  *out_ += ')';
}

// ---- Selectors and stages -----------------------------------------------------------------------

void LinePrinter::Selector(const std::vector<Matcher>& matchers) {
  *out_ += '{';
  for (size_t i = 0; i < matchers.size(); ++i) {
    if (i > 0) *out_ += ", ";
    *out_ += matchers[i].ToString();
  }
  *out_ += '}';
}

void LinePrinter::LineFilterStage(const LineFilter& filter) {
  const bool negated = filter.op == LineFilterOp::kNotContains || filter.op == LineFilterOp::kNotRegex ||
                       filter.op == LineFilterOp::kNotPattern;
  // Neither of two is the same as not the one and then not the other, which is how Loki writes it.
  const bool repeat_operator = negated && style_ == PrintStyle::kLoki;
  for (size_t i = 0; i < filter.terms.size(); ++i) {
    if (i > 0) *out_ += ' ';
    *out_ += i == 0 || repeat_operator ? LineFilterOpText(filter.op) : "or";
    *out_ += ' ';
    if (filter.terms[i].is_ip) *out_ += "ip(";
    Quoted(filter.terms[i].text);
    if (filter.terms[i].is_ip) *out_ += ')';
  }
}

void LinePrinter::Extractions(const std::vector<Extraction>& extractions) {
  for (size_t i = 0; i < extractions.size(); ++i) {
    *out_ += i == 0 ? ' ' : ',';
    *out_ += extractions[i].name;
    if (style_ == PrintStyle::kExact && !extractions[i].explicit_expression) continue;
    *out_ += '=';
    Quoted(extractions[i].expression);
  }
}

void LinePrinter::Selections(const std::vector<LabelSelection>& items) {
  for (size_t i = 0; i < items.size(); ++i) {
    *out_ += i == 0 ? ' ' : ',';
    *out_ += items[i].matcher ? items[i].matcher->ToString() : items[i].name;
  }
}

void LinePrinter::OneStage(const Stage& stage) {
  if (const auto* filter = std::get_if<LineFilter>(&stage)) return LineFilterStage(*filter);
  *out_ += "| ";
  std::visit(Overloaded{
                 [](const LineFilter&) {},
                 [this](const JsonParser& json) {
                   *out_ += "json";
                   Extractions(json.extractions);
                 },
                 [this](const LogfmtParser& logfmt) {
                   *out_ += "logfmt";
                   if (logfmt.strict) *out_ += " --strict";
                   if (logfmt.keep_empty) *out_ += " --keep-empty";
                   Extractions(logfmt.extractions);
                 },
                 [this](const RegexpParser& regexp) {
                   *out_ += "regexp ";
                   Quoted(regexp.pattern);
                 },
                 [this](const PatternParser& pattern) {
                   *out_ += "pattern ";
                   Quoted(pattern.pattern);
                 },
                 [this](const UnpackParser&) { *out_ += "unpack"; },
                 [this](const LabelFilterStage& filter) { Filter(*filter.filter); },
                 [this](const LineFormat& format) {
                   *out_ += "line_format ";
                   Quoted(format.template_text);
                 },
                 [this](const LabelFormat& format) {
                   *out_ += "label_format";
                   for (size_t i = 0; i < format.assignments.size(); ++i) {
                     const LabelFormat::Assignment& assignment = format.assignments[i];
                     *out_ += i == 0 ? ' ' : ',';
                     *out_ += assignment.name + '=';
                     if (assignment.is_rename) {
                       *out_ += assignment.value;
                     } else {
                       Quoted(assignment.value);
                     }
                   }
                 },
                 [this](const Decolorize&) { *out_ += "decolorize"; },
                 [this](const DropLabels& drop) {
                   *out_ += "drop";
                   Selections(drop.items);
                 },
                 [this](const KeepLabels& keep) {
                   *out_ += "keep";
                   Selections(keep.items);
                 },
             },
             stage);
}

void LinePrinter::Filter(const LabelFilter& filter) {
  const auto compare = [this](const std::string& name, CompareOp op) {
    *out_ += name;
    *out_ += CompareOpText(op);
  };
  std::visit(Overloaded{
                 [this](const StringLabelFilter& string) { *out_ += string.matcher.ToString(); },
                 [&](const NumberLabelFilter& number) {
                   compare(number.name, number.op);
                   if (style_ == PrintStyle::kExact) {
                     *out_ += number.text;
                   } else {
                     AppendPlainNumber(out_, number.value);
                   }
                 },
                 [&](const DurationLabelFilter& duration) {
                   compare(duration.name, duration.op);
                   AppendGoDuration(out_, duration.value_ns);
                 },
                 [&](const BytesLabelFilter& bytes) {
                   compare(bytes.name, bytes.op);
                   if (style_ == PrintStyle::kExact) {
                     *out_ += std::to_string(bytes.value_bytes) + "B";
                   } else {
                     AppendRoundedBytes(out_, bytes.value_bytes);
                   }
                 },
                 [&](const IpLabelFilter& ip) {
                   compare(ip.name, ip.negated ? CompareOp::kNe : CompareOp::kEq);
                   *out_ += "ip(";
                   Quoted(ip.pattern);
                   *out_ += ')';
                 },
                 [this](const BinaryLabelFilter& binary) {
                   *out_ += "( ";
                   Filter(*binary.left);
                   *out_ += binary.is_or ? " or " : " , ";
                   Filter(*binary.right);
                   *out_ += " )";
                 },
             },
             filter.node);
}

void LinePrinter::UnwrapHead(const Unwrap& unwrap) {
  *out_ += "| unwrap ";
  if (unwrap.conversion == UnwrapConversion::kNone) {
    *out_ += unwrap.label;
    return;
  }
  *out_ += UnwrapConversionName(unwrap.conversion);
  *out_ += '(' + unwrap.label + ')';
}

// ---- Expressions --------------------------------------------------------------------------------

void LinePrinter::Number(double value) {
  if (std::isnan(value)) {
    *out_ += "(0 / 0)";
  } else if (std::isinf(value)) {
    *out_ += value > 0 ? "(10 ^ 309)" : "(-10 ^ 309)";
  } else {
    AppendGoNumber(out_, value);
  }
}

void LinePrinter::GroupBy(const Grouping& grouping, std::string_view separator) {
  *out_ += grouping.without ? "without " : "by ";
  Names(grouping.labels, separator);
}

void LinePrinter::VectorGroupBy(const std::optional<Grouping>& grouping, std::string_view separator) {
  if (!grouping) return;
  // By no labels is the default, and Loki does not print it.
  if (style_ == PrintStyle::kLoki && !grouping->without && grouping->labels.empty()) return;
  *out_ += ' ';
  GroupBy(*grouping, separator);
}

void LinePrinter::Modifiers(const BinaryOperation& operation, std::string_view separator) {
  if (operation.return_bool) *out_ += " bool";
  const VectorMatching& matching = operation.matching;
  if (!matching.explicit_matching) return;
  const bool one_to_one = matching.cardinality == VectorMatching::Cardinality::kOneToOne;
  // Ignoring no labels is what happens anyway, and Loki does not print it.
  const bool says_nothing = !matching.on && matching.labels.empty() && one_to_one;
  if (says_nothing && style_ == PrintStyle::kLoki) return;
  *out_ += matching.on ? " on " : " ignoring ";
  Names(matching.labels, separator);
  if (one_to_one) {
    // Loki leaves the blank of the group that is not there.
    if (style_ == PrintStyle::kLoki) *out_ += ' ';
    return;
  }
  *out_ += matching.cardinality == VectorMatching::Cardinality::kManyToOne ? " group_left" : " group_right";
  // Without its own parentheses the group would take those of the right operand.
  const auto* literal = std::get_if<LiteralNumber>(&operation.right->node);
  const bool right_opens = std::holds_alternative<BinaryOperation>(operation.right->node) ||
                           (literal != nullptr && !std::isfinite(literal->value));
  if (matching.include.empty() && style_ == PrintStyle::kLoki && !right_opens) return;
  *out_ += ' ';
  Names(matching.include, separator);
}

void LinePrinter::Operation(const BinaryOperation& operation) {
  *out_ += '(';
  Expression(*operation.left);
  *out_ += ' ';
  *out_ += BinaryOpText(operation.op);
  Modifiers(operation, ",");
  *out_ += ' ';
  Expression(*operation.right);
  *out_ += ')';
}

void LinePrinter::Range(const LogRange& range) {
  Selector(range.selector.matchers);
  for (const Stage& stage : range.selector.stages) {
    *out_ += ' ';
    OneStage(stage);
  }
  if (range.unwrap) {
    *out_ += ' ';
    UnwrapHead(*range.unwrap);
    for (const LabelFilterPtr& filter : range.unwrap->post_filters) {
      *out_ += " | ";
      Filter(*filter);
    }
  }
  *out_ += '[';
  AppendPrometheusDuration(out_, range.range_ns);
  *out_ += ']';
  if (range.offset_ns != 0) {
    *out_ += " offset ";
    AppendGoDuration(out_, range.offset_ns);
  }
}

void LinePrinter::Aggregation(const RangeAggregation& aggregation) {
  *out_ += RangeOpName(aggregation.op);
  *out_ += '(';
  if (aggregation.parameter) {
    AppendPlainNumber(out_, *aggregation.parameter);
    *out_ += ',';
  }
  Range(aggregation.range);
  *out_ += ')';
  if (aggregation.grouping) {
    *out_ += ' ';
    GroupBy(*aggregation.grouping, ",");
  }
}

void LinePrinter::Aggregation(const VectorAggregation& aggregation) {
  *out_ += VectorOpName(aggregation.op);
  VectorGroupBy(aggregation.grouping, ",");
  *out_ += '(';
  if (aggregation.parameter != 0) *out_ += std::to_string(aggregation.parameter) + ",";
  Expression(*aggregation.operand);
  *out_ += ')';
}

void LinePrinter::Replace(const LabelReplace& replace) {
  *out_ += "label_replace(";
  Expression(*replace.operand);
  for (const std::string* argument :
       {&replace.destination, &replace.replacement, &replace.source, &replace.pattern}) {
    *out_ += ',';
    Quoted(*argument);
  }
  *out_ += ')';
}

void LinePrinter::Expression(const Expr& expr) {
  if (out_->size() > bytes_max_) return;
  std::visit(Overloaded{
                 [this](const LogSelector& log) {
                   Selector(log.matchers);
                   for (const Stage& stage : log.stages) {
                     *out_ += ' ';
                     OneStage(stage);
                   }
                 },
                 [this](const RangeAggregation& aggregation) { Aggregation(aggregation); },
                 [this](const VectorAggregation& aggregation) { Aggregation(aggregation); },
                 [this](const BinaryOperation& operation) { Operation(operation); },
                 [this](const LiteralNumber& literal) { Number(literal.value); },
                 [this](const VectorFunction& vector) {
                   *out_ += "vector(";
                   if (style_ == PrintStyle::kExact) {
                     AppendGoNumber(out_, vector.value);
                   } else {
                     AppendFixedNumber(out_, vector.value);
                   }
                   *out_ += ')';
                 },
                 [this](const LabelReplace& replace) { Replace(replace); },
             },
             expr.node);
}

std::string Print(const Expr& expr) {
  std::string out;
  LinePrinter(PrintStyle::kExact, &out).Expression(expr);
  return out;
}

std::string Print(const Stage& stage) {
  std::string out;
  LinePrinter(PrintStyle::kExact, &out).OneStage(stage);
  return out;
}

std::string Print(const LabelFilter& filter) {
  std::string out;
  LinePrinter(PrintStyle::kExact, &out).Filter(filter);
  return out;
}

}  // namespace varve::logql
