// PrintPretty: what fits on a line stays on it, the rest is broken at every stage, operand and argument.
#include <algorithm>
#include <string>
#include <vector>

#include "engine/base/time.h"
#include "query/logql/literals.h"
#include "query/logql/printer.h"
#include "query/logql/printer_state.h"

namespace varve::logql {
namespace {

constexpr size_t kLineBytesMax = 100;
constexpr size_t kIndent = 2;

class PrettyPrinter {
 public:
  explicit PrettyPrinter(std::string* out) : out_(out) {}

  // Writes `expr` indented by `level`, without a newline at the end.
  void Expression(const Expr& expr, size_t level) {
    std::string line;
    LinePrinter(PrintStyle::kLoki, &line, kLineBytesMax).Expression(expr);
    if (line.size() <= kLineBytesMax) {
      Indent(level);
      *out_ += line;
      return;
    }
    std::visit([this, level](const auto& node) { Broken(node, level); }, expr.node);
  }

 private:
  LinePrinter Line() { return LinePrinter(PrintStyle::kLoki, out_); }
  void Indent(size_t level) { out_->append(level * kIndent, ' '); }
  void NewLine(size_t level) {
    *out_ += '\n';
    Indent(level);
  }

  // A pipeline on its own: like any other expression it stays on one line if it fits.
  void Pipeline(const LogSelector& log, size_t level) {
    std::string line;
    Expr expr{log};
    LinePrinter(PrintStyle::kLoki, &line, kLineBytesMax).Expression(expr);
    if (line.size() > kLineBytesMax) return Broken(log, level);
    Indent(level);
    *out_ += line;
  }

  void Broken(const LogSelector& log, size_t level) {
    Indent(level);
    Line().Selector(log.matchers);
    for (auto stage = log.stages.begin(); stage != log.stages.end();) {
      if (std::holds_alternative<LineFilter>(*stage)) {
        const auto end = std::find_if_not(stage, log.stages.end(), [](const Stage& next) {
          return std::holds_alternative<LineFilter>(next);
        });
        LineFilters(stage, end, level + 1);
        stage = end;
        continue;
      }
      // Loki does not indent this one.
      NewLine(std::holds_alternative<Decolorize>(*stage) ? 0 : level + 1);
      Line().OneStage(*stage++);
    }
  }

  // Line filters in a row share a line as far as they fit; each further one has its own.
  void LineFilters(std::vector<Stage>::const_iterator filter, std::vector<Stage>::const_iterator end,
                   size_t level) {
    std::string line;
    LinePrinter(PrintStyle::kLoki, &line).OneStage(*filter++);
    bool fits = true;
    for (; filter != end; ++filter) {
      std::string one;
      LinePrinter(PrintStyle::kLoki, &one).OneStage(*filter);
      fits = fits && line.size() + 1 + one.size() <= kLineBytesMax;
      if (fits) {
        line += ' ' + one;
        continue;
      }
      NewLine(level);
      *out_ += line;
      line = std::move(one);
    }
    NewLine(level);
    *out_ += line;
  }

  void Broken(const RangeAggregation& aggregation, size_t level) {
    Indent(level);
    *out_ += RangeOpName(aggregation.op);
    *out_ += "(\n";
    if (aggregation.parameter) {
      Indent(level + 1);
      AppendPlainNumber(out_, *aggregation.parameter);
      *out_ += ",\n";
    }
    const LogRange& range = aggregation.range;
    Pipeline(range.selector, level + 1);
    if (range.unwrap) {
      NewLine(level + 2);
      Line().UnwrapHead(*range.unwrap);
      for (const LabelFilterPtr& filter : range.unwrap->post_filters) {
        NewLine(level + 2);
        *out_ += "| ";
        Line().Filter(*filter);
      }
    }
    *out_ += " [";
    AppendPrometheusDuration(out_, range.range_ns);
    *out_ += ']';
    if (range.offset_ns != 0) {
      *out_ += " offset ";
      Offset(range.offset_ns);
    }
    NewLine(level);
    *out_ += ')';
    if (aggregation.grouping) {
      *out_ += ' ';
      Line().GroupBy(*aggregation.grouping, ", ");
    }
  }

  // Broken lines have `2h` where the one-line form has `2h0m0s`, as far as that can say it.
  void Offset(int64_t ns) {
    if (ns > 0 && ns % kNsPerMs == 0) {
      AppendPrometheusDuration(out_, ns);
    } else {
      AppendGoDuration(out_, ns);
    }
  }

  void Broken(const VectorAggregation& aggregation, size_t level) {
    Indent(level);
    *out_ += VectorOpName(aggregation.op);
    Line().VectorGroupBy(aggregation.grouping, ", ");
    *out_ += "(\n";
    if (aggregation.parameter != 0) {
      Indent(level + 1);
      *out_ += std::to_string(aggregation.parameter) + ",\n";
    }
    Expression(*aggregation.operand, level + 1);
    NewLine(level);
    *out_ += ')';
  }

  void Broken(const BinaryOperation& operation, size_t level) {
    Operand(operation, *operation.left, level + 1);
    NewLine(level);
    *out_ += BinaryOpText(operation.op);
    Line().Modifiers(operation, ", ");
    *out_ += '\n';
    Operand(operation, *operation.right, level + 1);
  }

  // An operation inside another one, when broken, needs parentheses of its own to stay together.
  void Operand(const BinaryOperation& parent, const Expr& operand, size_t level) {
    const auto* operation = std::get_if<BinaryOperation>(&operand.node);
    std::string line;
    if (operation != nullptr) LinePrinter(PrintStyle::kLoki, &line, kLineBytesMax).Expression(operand);
    if (line.size() <= kLineBytesMax || StaysTogether(parent, *operation, &operand == parent.left.get())) {
      return Expression(operand, level);
    }
    Indent(level);
    *out_ += "(\n";
    Expression(operand, level + 1);
    NewLine(level);
    *out_ += ')';
  }

  static int Precedence(BinaryOp op) {
    switch (op) {
      case BinaryOp::kOr: return 1;
      case BinaryOp::kAnd:
      case BinaryOp::kUnless: return 2;
      case BinaryOp::kAdd:
      case BinaryOp::kSub: return 4;
      case BinaryOp::kMul:
      case BinaryOp::kDiv:
      case BinaryOp::kMod: return 5;
      case BinaryOp::kPow: return 6;
      default: return 3;
    }
  }

  // Whether `child` reads back as an operand of `parent` without parentheses.
  static bool StaysTogether(const BinaryOperation& parent, const BinaryOperation& child, bool is_left) {
    const int outer = Precedence(parent.op);
    const int inner = Precedence(child.op);
    return inner > outer || (inner == outer && is_left == (parent.op != BinaryOp::kPow));
  }

  void Broken(const LabelReplace& replace, size_t level) {
    Indent(level);
    *out_ += "label_replace(\n";
    Expression(*replace.operand, level + 1);
    for (const std::string* argument :
         {&replace.destination, &replace.replacement, &replace.source, &replace.pattern}) {
      *out_ += ',';
      NewLine(level + 1);
      Line().Quoted(*argument);
    }
    NewLine(level);
    *out_ += ')';
  }

  void Broken(const LiteralNumber& literal, size_t level) {
    Indent(level);
    Line().Number(literal.value);
  }

  void Broken(const VectorFunction& vector, size_t level) {
    Indent(level);
    *out_ += "vector(";
    AppendFixedNumber(out_, vector.value);
    *out_ += ')';
  }

  std::string* out_;
};

}  // namespace

std::string PrintPretty(const Expr& expr) {
  std::string out;
  PrettyPrinter(&out).Expression(expr, 0);
  return out;
}

}  // namespace varve::logql
