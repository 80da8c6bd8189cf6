// LogQL as a typed tree. Built by parser.h, printed back by printer.h, run by query/exec.
//
// Nodes own their children and are immutable once parsed (the parser folds constants). Durations are
// nanoseconds, byte sizes bytes. The grammar is in docs/logql.md.
// Threads: immutable after parsing, share freely.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/model/matcher.h"

namespace varve::logql {

// ---- Pipeline stages ----------------------------------------------------------------------------

enum class LineFilterOp { kContains, kNotContains, kRegex, kNotRegex, kPattern, kNotPattern };  // |= != |~ !~ |> !>
// "|="
std::string_view LineFilterOpText(LineFilterOp op);

// One alternative of a line filter.
struct LineFilterTerm {
  std::string text;
  bool is_ip = false;  // ip("…"); only with |= and !=
};

// `|= "a" or "b"`: any term for the positive operators, none of them for the negative ones.
struct LineFilter {
  LineFilterOp op = LineFilterOp::kContains;
  std::vector<LineFilterTerm> terms;  // at least one
};

// name="expression", or name alone (then expression == name and explicit_expression is false).
struct Extraction {
  std::string name;
  std::string expression;
  bool explicit_expression = false;
};

struct JsonParser {
  std::vector<Extraction> extractions;  // empty: every field
};
struct LogfmtParser {
  bool strict = false;
  bool keep_empty = false;
  std::vector<Extraction> extractions;
};
struct RegexpParser {
  std::string pattern;
};
struct PatternParser {
  std::string pattern;
};
struct UnpackParser {};

enum class CompareOp { kEq, kNe, kGt, kGe, kLt, kLe };  // = and == are both kEq
// ">="; kEq is "=".
std::string_view CompareOpText(CompareOp op);

struct LabelFilter;
using LabelFilterPtr = std::shared_ptr<const LabelFilter>;

struct StringLabelFilter {
  Matcher matcher;
};
struct NumberLabelFilter {
  std::string name;
  CompareOp op;
  double value = 0;
  std::string text;  // as written, for printing
};
struct DurationLabelFilter {
  std::string name;
  CompareOp op;
  int64_t value_ns = 0;
};
struct BytesLabelFilter {
  std::string name;
  CompareOp op;
  uint64_t value_bytes = 0;
};
struct IpLabelFilter {
  std::string name;
  bool negated = false;
  std::string pattern;
};
struct BinaryLabelFilter {
  bool is_or = false;  // else and
  LabelFilterPtr left, right;
};
struct LabelFilter {
  std::variant<StringLabelFilter, NumberLabelFilter, DurationLabelFilter, BytesLabelFilter, IpLabelFilter,
               BinaryLabelFilter>
      node;
};
struct LabelFilterStage {
  LabelFilterPtr filter;
};

struct LineFormat {
  std::string template_text;
};
struct LabelFormat {
  struct Assignment {
    std::string name;
    std::string value;  // a template, or the label to rename
    bool is_rename = false;
  };
  std::vector<Assignment> assignments;
};
struct Decolorize {};

// An item of drop or keep: a name, optionally with a condition on its value.
struct LabelSelection {
  std::string name;
  std::optional<Matcher> matcher;
};
struct DropLabels {
  std::vector<LabelSelection> items;
};
struct KeepLabels {
  std::vector<LabelSelection> items;
};

using Stage = std::variant<LineFilter, JsonParser, LogfmtParser, RegexpParser, PatternParser, UnpackParser,
                           LabelFilterStage, LineFormat, LabelFormat, Decolorize, DropLabels, KeepLabels>;

// ---- Expressions --------------------------------------------------------------------------------

struct LogSelector {
  std::vector<Matcher> matchers;
  std::vector<Stage> stages;
};

enum class UnwrapConversion { kNone, kDuration, kDurationSeconds, kBytes };
// "duration_seconds"; "" for none.
std::string_view UnwrapConversionName(UnwrapConversion conversion);
struct Unwrap {
  std::string label;
  UnwrapConversion conversion = UnwrapConversion::kNone;
  std::vector<LabelFilterPtr> post_filters;  // label filters after the unwrap
};

// `{…} | stages | unwrap x [5m] offset 1h`
struct LogRange {
  LogSelector selector;
  std::optional<Unwrap> unwrap;
  int64_t range_ns = 0;
  int64_t offset_ns = 0;
};

struct Grouping {
  bool without = false;  // else by
  std::vector<std::string> labels;
};

enum class RangeOp {
  kCountOverTime, kRate, kRateCounter, kBytesOverTime, kBytesRate, kAvgOverTime, kSumOverTime, kMinOverTime,
  kMaxOverTime, kStddevOverTime, kStdvarOverTime, kQuantileOverTime, kFirstOverTime, kLastOverTime,
  kAbsentOverTime, kCountDistinctOverTime,
};
inline constexpr RangeOp kLastRangeOp = RangeOp::kCountDistinctOverTime;
// "count_over_time"
std::string_view RangeOpName(RangeOp op);

enum class VectorOp { kSum, kAvg, kCount, kMax, kMin, kStddev, kStdvar, kTopk, kBottomk, kApproxTopk, kSort, kSortDesc };
// "topk"
std::string_view VectorOpName(VectorOp op);

enum class BinaryOp { kOr, kAnd, kUnless, kAdd, kSub, kMul, kDiv, kMod, kPow, kEq, kNe, kGt, kGe, kLt, kLe };
// "unless", "<="
std::string_view BinaryOpText(BinaryOp op);
bool IsComparison(BinaryOp op);
bool IsSetOp(BinaryOp op);  // or, and, unless

struct Expr;
using ExprPtr = std::unique_ptr<const Expr>;

struct RangeAggregation {
  RangeOp op = RangeOp::kCountOverTime;
  LogRange range;
  std::optional<double> parameter;  // quantile_over_time
  std::optional<Grouping> grouping;
};
struct VectorAggregation {
  VectorOp op = VectorOp::kSum;
  ExprPtr operand;
  int64_t parameter = 0;  // k of topk, bottomk, approx_topk
  std::optional<Grouping> grouping;
};
struct VectorMatching {
  enum class Cardinality { kOneToOne, kManyToOne, kOneToMany };  // group_left is many-to-one
  Cardinality cardinality = Cardinality::kOneToOne;
  bool on = false;  // else ignoring
  bool explicit_matching = false;  // on(…) or ignoring(…) was written
  std::vector<std::string> labels;
  std::vector<std::string> include;  // group_left(include…)
};
struct BinaryOperation {
  BinaryOp op = BinaryOp::kAdd;
  ExprPtr left, right;
  bool return_bool = false;
  VectorMatching matching;
};
struct LiteralNumber {
  double value = 0;
};
struct VectorFunction {  // vector(n)
  double value = 0;
};
struct LabelReplace {
  ExprPtr operand;
  std::string destination, replacement, source, pattern;
  Regex regex;  // anchored
};

struct Expr {
  std::variant<LogSelector, RangeAggregation, VectorAggregation, BinaryOperation, LiteralNumber, VectorFunction,
               LabelReplace>
      node;
  bool is_log_query() const { return std::holds_alternative<LogSelector>(node); }
};

}  // namespace varve::logql
