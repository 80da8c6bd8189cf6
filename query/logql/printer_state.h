// Writes parts of a LogQL tree on one line. Private to query/logql.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/logql/ast.h"

namespace varve::logql {

enum class PrintStyle {
  kExact,  // reads back as the same tree
  kLoki,   // as Loki's printer
};

class LinePrinter {
 public:
  // Once `out` exceeds `bytes_max`, expressions are left out: enough to know that a line is too long.
  LinePrinter(PrintStyle style, std::string* out, size_t bytes_max = std::numeric_limits<size_t>::max())
      : style_(style), out_(out), bytes_max_(bytes_max) {}

  void Expression(const Expr& expr);
  void Selector(const std::vector<Matcher>& matchers);
  // With the leading "| " or line filter operator.
  void OneStage(const Stage& stage);
  void Filter(const LabelFilter& filter);
  // "| unwrap duration(x)", without its filters.
  void UnwrapHead(const Unwrap& unwrap);
  // "bool on (a,b) group_left (c)" after the operator; starts with a space unless empty.
  void Modifiers(const BinaryOperation& operation, std::string_view separator);
  // "by (a,b)"
  void GroupBy(const Grouping& grouping, std::string_view separator);
  // The same behind a vector aggregation's name, with a space in front; nothing if there is no grouping.
  void VectorGroupBy(const std::optional<Grouping>& grouping, std::string_view separator);
  void Number(double value);
  void Quoted(std::string_view text);

 private:
  void Operation(const BinaryOperation& operation);
  void Range(const LogRange& range);
  void Aggregation(const RangeAggregation& aggregation);
  void Aggregation(const VectorAggregation& aggregation);
  void Replace(const LabelReplace& replace);
  void LineFilterStage(const LineFilter& filter);
  void Extractions(const std::vector<Extraction>& extractions);
  void Selections(const std::vector<LabelSelection>& items);
  void Names(const std::vector<std::string>& names, std::string_view separator);
  PrintStyle style_;
  std::string* out_;
  size_t bytes_max_;
};

}  // namespace varve::logql
