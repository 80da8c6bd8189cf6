#include <bit>
#include <cmath>

#include "engine/model/labels.h"
#include "tests/support/logql_ast.h"

namespace varve::logql {
namespace {

// S-expressions: (name field field …), strings quoted, numbers by their bits.
class Dumper {
 public:
  std::string out;

  void Atom(int64_t value) { out += " " + std::to_string(value); }
  void Atom(const std::string& text) { out += " " + GoQuoted(text); }
  void Number(double value) {
    out += std::isnan(value) ? " nan" : " " + std::to_string(std::bit_cast<uint64_t>(value));
  }
  void Names(const std::vector<std::string>& names) {
    out += " [";
    for (const std::string& name : names) Atom(name);
    out += "]";
  }
  void One(const Matcher& matcher) {
    out += " (matcher";
    Atom(matcher.name());
    Atom(static_cast<int64_t>(matcher.op()));
    Atom(matcher.value());
    // `.` must have kept its meaning.
    Atom(matcher.Matches("a\nb") ? 1 : 0);
    out += ")";
  }

  void One(const LabelFilter& filter) {
    out += " (filter " + std::to_string(filter.node.index());
    std::visit([this](const auto& node) { Fields(node); }, filter.node);
    out += ")";
  }
  void One(const Stage& stage) {
    out += "\n (stage " + std::to_string(stage.index());
    std::visit([this](const auto& node) { Fields(node); }, stage);
    out += ")";
  }
  void One(const Expr& expr) {
    out += "\n(expr " + std::to_string(expr.node.index());
    std::visit([this](const auto& node) { Fields(node); }, expr.node);
    out += ")";
  }

 private:
  void Fields(const StringLabelFilter& f) { One(f.matcher); }
  void Fields(const NumberLabelFilter& f) {
    Compared(f.name, f.op);
    Number(f.value);
    Atom(f.text);
  }
  void Fields(const DurationLabelFilter& f) {
    Compared(f.name, f.op);
    Atom(f.value_ns);
  }
  void Fields(const BytesLabelFilter& f) {
    Compared(f.name, f.op);
    Atom(std::to_string(f.value_bytes));
  }
  void Fields(const IpLabelFilter& f) {
    Atom(f.name);
    Atom(f.negated ? 1 : 0);
    Atom(f.pattern);
  }
  void Fields(const BinaryLabelFilter& f) {
    Atom(f.is_or ? 1 : 0);
    One(*f.left);
    One(*f.right);
  }
  void Compared(const std::string& name, CompareOp op) {
    Atom(name);
    Atom(static_cast<int64_t>(op));
  }

  void Fields(const LineFilter& f) {
    Atom(static_cast<int64_t>(f.op));
    for (const LineFilterTerm& term : f.terms) {
      Atom(term.is_ip ? 1 : 0);
      Atom(term.text);
    }
  }
  void Fields(const JsonParser& json) { Extractions(json.extractions); }
  void Fields(const LogfmtParser& logfmt) {
    Atom(logfmt.strict ? 1 : 0);
    Atom(logfmt.keep_empty ? 1 : 0);
    Extractions(logfmt.extractions);
  }
  void Extractions(const std::vector<Extraction>& extractions) {
    for (const Extraction& extraction : extractions) {
      Atom(extraction.name);
      Atom(extraction.expression);
      Atom(extraction.explicit_expression ? 1 : 0);
    }
  }
  void Fields(const RegexpParser& parser) { Atom(parser.pattern); }
  void Fields(const PatternParser& parser) { Atom(parser.pattern); }
  void Fields(const UnpackParser&) {}
  void Fields(const Decolorize&) {}
  void Fields(const LabelFilterStage& stage) { One(*stage.filter); }
  void Fields(const LineFormat& format) { Atom(format.template_text); }
  void Fields(const LabelFormat& format) {
    for (const LabelFormat::Assignment& assignment : format.assignments) {
      Atom(assignment.name);
      Atom(assignment.value);
      Atom(assignment.is_rename ? 1 : 0);
    }
  }
  void Fields(const DropLabels& drop) { Selections(drop.items); }
  void Fields(const KeepLabels& keep) { Selections(keep.items); }
  void Selections(const std::vector<LabelSelection>& items) {
    for (const LabelSelection& item : items) {
      Atom(item.name);
      if (item.matcher) One(*item.matcher);
    }
  }

  void Fields(const LogSelector& log) {
    for (const Matcher& matcher : log.matchers) One(matcher);
    for (const Stage& stage : log.stages) One(stage);
  }
  void Fields(const RangeAggregation& aggregation) {
    Atom(static_cast<int64_t>(aggregation.op));
    if (aggregation.parameter) Number(*aggregation.parameter);
    Fields(aggregation.range.selector);
    if (aggregation.range.unwrap) {
      out += " (unwrap";
      Atom(aggregation.range.unwrap->label);
      Atom(static_cast<int64_t>(aggregation.range.unwrap->conversion));
      for (const LabelFilterPtr& filter : aggregation.range.unwrap->post_filters) One(*filter);
      out += ")";
    }
    Atom(aggregation.range.range_ns);
    Atom(aggregation.range.offset_ns);
    Fields(aggregation.grouping);
  }
  void Fields(const VectorAggregation& aggregation) {
    Atom(static_cast<int64_t>(aggregation.op));
    Atom(aggregation.parameter);
    Fields(aggregation.grouping);
    One(*aggregation.operand);
  }
  void Fields(const std::optional<Grouping>& grouping) {
    if (!grouping) return;
    Atom(grouping->without ? 1 : 0);
    Names(grouping->labels);
  }
  void Fields(const BinaryOperation& operation) {
    Atom(static_cast<int64_t>(operation.op));
    Atom(operation.return_bool ? 1 : 0);
    Atom(static_cast<int64_t>(operation.matching.cardinality));
    Atom(operation.matching.on ? 1 : 0);
    Atom(operation.matching.explicit_matching ? 1 : 0);
    Names(operation.matching.labels);
    Names(operation.matching.include);
    One(*operation.left);
    One(*operation.right);
  }
  void Fields(const LiteralNumber& literal) { Number(literal.value); }
  void Fields(const VectorFunction& vector) { Number(vector.value); }
  void Fields(const LabelReplace& replace) {
    Atom(replace.destination);
    Atom(replace.replacement);
    Atom(replace.source);
    Atom(replace.pattern);
    Atom(replace.regex != nullptr ? 1 : 0);
    One(*replace.operand);
  }
};

}  // namespace

std::string Dump(const Expr& expr) {
  Dumper dumper;
  dumper.One(expr);
  return std::move(dumper.out);
}

}  // namespace varve::logql
