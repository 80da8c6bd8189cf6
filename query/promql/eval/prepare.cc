#include "query/promql/eval/prepare.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "query/promql/syntax/durations.h"
#include "query/promql/syntax/function_table.h"

namespace varve::promql {
namespace {

// Their value depends on the step's time even where their arguments do not.
constexpr std::array<std::string_view, 16> kUnsafeAt = {
    "days_in_month", "day_of_month", "day_of_week", "day_of_year", "end",   "hour", "minute",    "month",
    "predict_linear", "range",       "start",       "step",        "time",  "timestamp", "year", "start_timestamp"};

constexpr int64_t kAtMaxMs = INT64_MAX / 8;

bool IsUnsafeAt(std::string_view name) { return std::find(kUnsafeAt.begin(), kUnsafeAt.end(), name) != kUnsafeAt.end(); }

class Preparer {
 public:
  Preparer(const StepGrid& grid, Plan* plan) : grid_(grid), plan_(plan) {}

  void Fold(ExprPtr* expr) {
    switch ((*expr)->kind) {
      case ExprKind::kCall: return FoldCall(expr);
      case ExprKind::kBinary:
        Fold(&Cast<Binary>(**expr).lhs);
        Fold(&Cast<Binary>(**expr).rhs);
        return;
      case ExprKind::kAggregate:
        Fold(&Cast<Aggregate>(**expr).expr);
        if (Cast<Aggregate>(**expr).param != nullptr) Fold(&Cast<Aggregate>(**expr).param);
        return;
      case ExprKind::kUnary: return Fold(&Cast<Unary>(**expr).expr);
      case ExprKind::kParen: return Fold(&Cast<Paren>(**expr).expr);
      case ExprKind::kSubquery: return Fold(&Cast<Subquery>(**expr).expr);
      default: return;
    }
  }

  struct Invariance {
    bool is_invariant = false;
    bool should_repeat = false;  // not for ranges, and not worth it for literals
  };

  Invariance Visit(Expr* expr) {
    switch (expr->kind) {
      case ExprKind::kVectorSelector: {
        TimeShift& shift = Cast<VectorSelector>(*expr).shift;
        ResolveAnchor(&shift);
        return {shift.at_ms.has_value(), shift.at_ms.has_value()};
      }
      case ExprKind::kMatrixSelector: return {Visit(Cast<MatrixSelector>(*expr).selector.get()).is_invariant, false};
      case ExprKind::kSubquery: return VisitSubquery(&Cast<Subquery>(*expr));
      case ExprKind::kAggregate: return VisitAggregate(&Cast<Aggregate>(*expr));
      case ExprKind::kBinary: return VisitBinary(&Cast<Binary>(*expr));
      case ExprKind::kCall: return VisitCall(&Cast<Call>(*expr));
      case ExprKind::kParen: return Visit(Cast<Paren>(*expr).expr.get());
      case ExprKind::kUnary: return Visit(Cast<Unary>(*expr).expr.get());
      case ExprKind::kNumber:
      case ExprKind::kString: return {true, false};
      default: return {};
    }
  }

 private:
  void FoldCall(ExprPtr* expr) {
    Call& call = Cast<Call>(**expr);
    const std::string_view name = call.function->name;
    const bool is_start = name == "start";
    const bool is_end = name == "end";
    const bool is_range = name == "range";
    if (!is_start && !is_end && !is_range && name != "step") {
      for (ExprPtr& arg : call.args) Fold(&arg);
      return;
    }
    auto number = std::make_unique<NumberLiteral>();
    number->pos = call.pos;
    const int64_t ms = is_start   ? grid_.start_ms
                       : is_end   ? grid_.end_ms
                       : is_range ? grid_.end_ms - grid_.start_ms
                                  : (grid_.start_ms == grid_.end_ms ? 0 : grid_.step_ms);
    number->value = static_cast<double>(ms) / 1000;
    *expr = std::move(number);
  }

  void ResolveAnchor(TimeShift* shift) const {
    if (shift->at_anchor == AtAnchor::kStart) shift->at_ms = grid_.start_ms;
    if (shift->at_anchor == AtAnchor::kEnd) shift->at_ms = grid_.end_ms;
    // Nothing is there, and no offset or range can take it over the edge of what a time can be.
    if (shift->at_ms.has_value()) shift->at_ms = std::clamp(*shift->at_ms, -kAtMaxMs, kAtMaxMs);
  }

  static void StripParens(ExprPtr* expr) {
    while (*expr != nullptr && (*expr)->kind == ExprKind::kParen) {
      ExprPtr inside = std::move(Cast<Paren>(**expr).expr);
      *expr = std::move(inside);
    }
  }

  void Repeat(const Expr* expr) { plan_->invariant.insert(expr); }

  Invariance VisitSubquery(Subquery* subquery) {
    if (Visit(subquery->expr.get()).is_invariant) Repeat(subquery->expr.get());
    ResolveAnchor(&subquery->shift);
    return {subquery->shift.at_ms.has_value(), false};
  }

  Invariance VisitAggregate(Aggregate* aggregate) {
    StripParens(&aggregate->expr);
    StripParens(&aggregate->param);
    // A parameter may look at time where the vector does not: then all steps are evaluated.
    const Invariance param = aggregate->param == nullptr ? Invariance{true, false} : Visit(aggregate->param.get());
    const Invariance inner = Visit(aggregate->expr.get());
    if (param.is_invariant) return inner;
    if (inner.should_repeat) Repeat(aggregate->expr.get());
    return {};
  }

  Invariance VisitBinary(Binary* binary) {
    const Invariance lhs = Visit(binary->lhs.get());
    const Invariance rhs = Visit(binary->rhs.get());
    if (lhs.is_invariant && rhs.is_invariant) return {true, true};
    if (lhs.should_repeat) Repeat(binary->lhs.get());
    if (rhs.should_repeat) Repeat(binary->rhs.get());
    return {};
  }

  Invariance VisitCall(Call* call) {
    bool all_invariant = true;
    bool selectors_only = true;
    std::vector<bool> repeat(call->args.size());
    for (size_t i = 0; i < call->args.size(); ++i) {
      StripParens(&call->args[i]);
      const Invariance arg = Visit(call->args[i].get());
      all_invariant = all_invariant && arg.is_invariant;
      selectors_only = selectors_only && arg.is_invariant && call->args[i]->kind == ExprKind::kVectorSelector;
      repeat[i] = arg.should_repeat;
    }
    const std::string_view name = call->function->name;
    if (all_invariant && !IsUnsafeAt(name)) return {true, true};
    if (selectors_only && (name == "timestamp" || name == "start_timestamp")) return {true, true};
    for (size_t i = 0; i < repeat.size(); ++i) {
      if (repeat[i]) Repeat(call->args[i].get());
    }
    return {};
  }

  const StepGrid grid_;
  Plan* const plan_;
};

// Finds the selectors of Plan::stats_only. A subquery may skip samples, so that resets must be found from buckets.
class StatsFinder {
 public:
  explicit StatsFinder(Plan* plan) : plan_(plan) {}

  void Visit(const Expr& expr, bool stats) {
    switch (expr.kind) {
      case ExprKind::kVectorSelector:
        if (stats) plan_->stats_only.insert(&expr);
        return;
      case ExprKind::kMatrixSelector: return Visit(*Cast<MatrixSelector>(expr).selector, stats);
      case ExprKind::kAggregate: return Visit(*Cast<Aggregate>(expr).expr, stats);
      case ExprKind::kUnary: return Visit(*Cast<Unary>(expr).expr, stats);
      case ExprKind::kParen: return Visit(*Cast<Paren>(expr).expr, stats);
      case ExprKind::kCall: return VisitCall(Cast<Call>(expr), stats);
      case ExprKind::kBinary: {
        const auto& binary = Cast<Binary>(expr);
        if (binary.op == BinaryOp::kTrimUpper || binary.op == BinaryOp::kTrimLower) return;
        Visit(*binary.lhs, stats);
        return Visit(*binary.rhs, stats);
      }
      default: return;
    }
  }

 private:
  void VisitCall(const Call& call, bool stats) {
    const std::string_view name = call.function->name;
    if (name == "histogram_quantile" || name == "histogram_quantiles" || name == "histogram_fraction") return;
    const bool is_stats = name == "histogram_count" || name == "histogram_sum" || name == "histogram_avg";
    for (const ExprPtr& arg : call.args) Visit(*arg, stats || is_stats);
  }

  Plan* const plan_;
};

}  // namespace

Result<Plan> Prepare(ExprPtr expr, const StepGrid& grid) {
  Plan plan;
  Preparer preparer(grid, &plan);
  preparer.Fold(&expr);
  VARVE_RETURN_IF_ERROR(ResolveDurations({grid.step_ms, grid.end_ms - grid.start_ms}, expr.get()));
  StatsFinder(&plan).Visit(*expr, false);
  if (preparer.Visit(expr.get()).should_repeat) plan.invariant.insert(expr.get());
  plan.root = std::move(expr);
  return plan;
}

}  // namespace varve::promql
