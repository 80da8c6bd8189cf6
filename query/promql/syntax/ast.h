// A parsed PromQL expression.
//
// A tree of structs told apart by `kind`; Cast<> asserts it. Positions are byte offsets into the query text, for
// errors and annotations. Durations and offsets are milliseconds; those written as expressions (5m * 2) keep the
// expression beside them for printing, until ResolveDurations (durations.h) has put the number in.
// Threads: immutable after parsing and preparation.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/model/matcher.h"

namespace varve::promql {

enum class ValueType { kNone, kScalar, kVector, kMatrix, kString };
// "none", "scalar", "instant vector", "range vector", "string": as errors name them.
std::string_view DocumentedType(ValueType type);
// "none", "scalar", "vector", "matrix", "string": as the API names them.
std::string_view ApiType(ValueType type);

struct PositionRange {
  int32_t begin = 0;
  int32_t end = 0;
};

enum class ExprKind {
  kNumber,
  kString,
  kVectorSelector,
  kMatrixSelector,
  kSubquery,
  kAggregate,
  kBinary,
  kCall,
  kUnary,
  kParen,
  kDuration,  // only inside duration expressions
  kLogql,     // logql("…"): a LogQL metric query as a vector
};

struct Expr {
  explicit Expr(ExprKind k) : kind(k) {}
  virtual ~Expr() = default;
  Expr(const Expr&) = delete;
  Expr& operator=(const Expr&) = delete;

  const ExprKind kind;
  int32_t depth = 1;  // of the tree from here down; the parser bounds it, so that recursion over it is safe
  PositionRange pos;
};
using ExprPtr = std::unique_ptr<Expr>;

template <typename T>
const T& Cast(const Expr& expr) {
  VARVE_CHECK(expr.kind == T::kKind);
  return static_cast<const T&>(expr);
}
template <typename T>
T& Cast(Expr& expr) {
  VARVE_CHECK(expr.kind == T::kKind);
  return static_cast<T&>(expr);
}

ValueType TypeOf(const Expr& expr);

struct NumberLiteral final : Expr {
  static constexpr ExprKind kKind = ExprKind::kNumber;
  NumberLiteral() : Expr(kKind) {}
  double value = 0;
  bool is_duration = false;  // written as 5m; printed so
};

struct StringLiteral final : Expr {
  static constexpr ExprKind kKind = ExprKind::kString;
  StringLiteral() : Expr(kKind) {}
  std::string value;
};

// An expression for a number of seconds: 5m * 2, step(), max_of(…), -(1h).
struct DurationExpr final : Expr {
  static constexpr ExprKind kKind = ExprKind::kDuration;
  enum class Op { kAdd, kSub, kMul, kDiv, kMod, kPow, kStep, kRange, kMin, kMax };
  DurationExpr() : Expr(kKind) {}
  Op op = Op::kAdd;
  ExprPtr lhs;  // null: unary sign; NumberLiteral or DurationExpr
  ExprPtr rhs;
  bool wrapped = false;  // in parentheses
};

enum class AtAnchor { kNone, kStart, kEnd };

// What a selector and a subquery share: where in time they look.
struct TimeShift {
  int64_t offset_ms = 0;           // as written; positive looks back
  std::unique_ptr<DurationExpr> offset_expr;
  std::optional<int64_t> at_ms;    // @ 1234.5
  AtAnchor at_anchor = AtAnchor::kNone;  // @ start(), @ end(); preparation sets at_ms from it
};

struct VectorSelector final : Expr {
  static constexpr ExprKind kKind = ExprKind::kVectorSelector;
  VectorSelector() : Expr(kKind) {}
  std::string name;  // the bare metric name, also the last matcher (__name__="…"); a quoted one is a matcher only
  std::vector<Matcher> matchers;
  TimeShift shift;
  bool anchored = false;
  bool smoothed = false;
};

struct MatrixSelector final : Expr {
  static constexpr ExprKind kKind = ExprKind::kMatrixSelector;
  MatrixSelector() : Expr(kKind) {}
  std::unique_ptr<VectorSelector> selector;  // has the shift, and anchored/smoothed
  int64_t range_ms = 0;
  std::unique_ptr<DurationExpr> range_expr;
};

struct Subquery final : Expr {
  static constexpr ExprKind kKind = ExprKind::kSubquery;
  Subquery() : Expr(kKind) {}
  ExprPtr expr;
  int64_t range_ms = 0;
  std::unique_ptr<DurationExpr> range_expr;
  int64_t step_ms = 0;  // 0: the default evaluation interval
  std::unique_ptr<DurationExpr> step_expr;
  TimeShift shift;
};

enum class AggregateOp {
  kSum,
  kAvg,
  kMin,
  kMax,
  kCount,
  kGroup,
  kStddev,
  kStdvar,
  kQuantile,
  kTopk,
  kBottomk,
  kCountValues,
  kLimitk,
  kLimitRatio,
};
std::string_view AggregateName(AggregateOp op);

struct Aggregate final : Expr {
  static constexpr ExprKind kKind = ExprKind::kAggregate;
  Aggregate() : Expr(kKind) {}
  AggregateOp op = AggregateOp::kSum;
  ExprPtr expr;
  ExprPtr param;  // null for those without
  std::vector<std::string> grouping;  // as written
  bool without = false;
};

enum class BinaryOp {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kPow,
  kAtan2,
  kEq,
  kNe,
  kLt,
  kGt,
  kLe,
  kGe,
  kTrimUpper,  // </
  kTrimLower,  // >/
  kAnd,
  kOr,
  kUnless,
};
std::string_view BinaryOpText(BinaryOp op);
bool IsComparison(BinaryOp op);  // the trims are not
bool IsSetOp(BinaryOp op);

enum class MatchCardinality { kOneToOne, kManyToOne, kOneToMany, kManyToMany };

// How two vectors are joined.
struct VectorMatching {
  MatchCardinality card = MatchCardinality::kOneToOne;
  std::vector<std::string> labels;
  bool on = false;  // labels are those that must match, not those to ignore
  std::vector<std::string> include;
  std::optional<double> fill_left;
  std::optional<double> fill_right;
};

struct Binary final : Expr {
  static constexpr ExprKind kKind = ExprKind::kBinary;
  Binary() : Expr(kKind) {}
  BinaryOp op = BinaryOp::kAdd;
  ExprPtr lhs;
  ExprPtr rhs;
  std::optional<VectorMatching> matching;  // between two vectors
  bool return_bool = false;
};

struct FunctionSignature;  // function_table.h

struct Call final : Expr {
  static constexpr ExprKind kKind = ExprKind::kCall;
  Call() : Expr(kKind) {}
  const FunctionSignature* function = nullptr;  // never null; from the static table
  std::vector<ExprPtr> args;
};

struct Unary final : Expr {
  static constexpr ExprKind kKind = ExprKind::kUnary;
  Unary() : Expr(kKind) {}
  bool negate = false;
  ExprPtr expr;
};

struct Paren final : Expr {
  static constexpr ExprKind kKind = ExprKind::kParen;
  Paren() : Expr(kKind) {}
  ExprPtr expr;
};

struct LogqlVector final : Expr {
  static constexpr ExprKind kKind = ExprKind::kLogql;
  LogqlVector() : Expr(kKind) {}
  std::string query;  // a LogQL metric query; checked when parsed
};

}  // namespace varve::promql
