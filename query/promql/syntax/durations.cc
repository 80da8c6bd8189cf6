#include "query/promql/syntax/durations.h"

#include <cmath>

namespace varve::promql {
namespace {

// Seconds beyond which nanoseconds leave 64 bits.
constexpr double kSecondsMax = 9223372036.854775808;

Status Fail(const Expr& expr, const char* why) {
  return ExecutionError(std::to_string(expr.pos.begin) + ":" + std::to_string(expr.pos.end) + ": " + why);
}

// The smaller or larger, as Go has it: NaN wins, and -0 is below 0.
double MinOf(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::nan("");
  return a == b ? (std::signbit(a) ? a : b) : std::min(a, b);
}
double MaxOf(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::nan("");
  return a == b ? (std::signbit(a) ? b : a) : std::max(a, b);
}

Result<double> Seconds(const QuerySpan& span, const Expr& expr) {
  if (expr.kind == ExprKind::kNumber) return Cast<NumberLiteral>(expr).value;
  const auto& duration = Cast<DurationExpr>(expr);
  double lhs = 0;
  double rhs = 0;
  if (duration.lhs) {
    VARVE_ASSIGN_OR_RETURN(lhs, Seconds(span, *duration.lhs));
  }
  if (duration.rhs) {
    VARVE_ASSIGN_OR_RETURN(rhs, Seconds(span, *duration.rhs));
  }
  switch (duration.op) {
    case DurationExpr::Op::kStep: return static_cast<double>(span.step_ms) / 1000;
    case DurationExpr::Op::kRange: return static_cast<double>(span.range_ms) / 1000;
    case DurationExpr::Op::kMin: return MinOf(lhs, rhs);
    case DurationExpr::Op::kMax: return MaxOf(lhs, rhs);
    case DurationExpr::Op::kAdd: return lhs + rhs;
    case DurationExpr::Op::kSub: return duration.lhs ? lhs - rhs : -rhs;
    case DurationExpr::Op::kMul: return lhs * rhs;
    case DurationExpr::Op::kPow: return std::pow(lhs, rhs);
    case DurationExpr::Op::kDiv:
      if (rhs == 0) return Fail(expr, "division by zero");
      return lhs / rhs;
    case DurationExpr::Op::kMod:
      if (rhs == 0) return Fail(expr, "modulo by zero");
      return std::fmod(lhs, rhs);
  }
  return InternalError("a duration without an operator");
}

Result<int64_t> Milliseconds(const QuerySpan& span, const DurationExpr& expr, bool negative_too) {
  VARVE_ASSIGN_OR_RETURN(const double seconds, Seconds(span, expr));
  if (!std::isfinite(seconds)) return Fail(expr, "duration is NaN or infinite");
  if (seconds <= 0 && !negative_too) return Fail(expr, "duration must be greater than 0");
  if (std::fabs(seconds) > kSecondsMax) return Fail(expr, "duration is out of range");
  return static_cast<int64_t>(seconds * 1000);
}

Status ResolveShift(const QuerySpan& span, TimeShift* shift) {
  if (!shift->offset_expr) return Status::Ok();
  VARVE_ASSIGN_OR_RETURN(shift->offset_ms, Milliseconds(span, *shift->offset_expr, true));
  return Status::Ok();
}

Status ResolveSubquery(const QuerySpan& span, Subquery* subquery) {
  VARVE_RETURN_IF_ERROR(ResolveShift(span, &subquery->shift));
  if (subquery->step_expr) {
    VARVE_ASSIGN_OR_RETURN(subquery->step_ms, Milliseconds(span, *subquery->step_expr, false));
  }
  if (subquery->range_expr) {
    VARVE_ASSIGN_OR_RETURN(subquery->range_ms, Milliseconds(span, *subquery->range_expr, false));
  }
  return ResolveDurations(span, subquery->expr.get());
}

}  // namespace

Status ResolveDurations(const QuerySpan& span, Expr* expr) {
  switch (expr->kind) {
    case ExprKind::kVectorSelector: return ResolveShift(span, &Cast<VectorSelector>(*expr).shift);
    case ExprKind::kMatrixSelector: {
      auto& matrix = Cast<MatrixSelector>(*expr);
      if (matrix.range_expr) {
        VARVE_ASSIGN_OR_RETURN(matrix.range_ms, Milliseconds(span, *matrix.range_expr, false));
      }
      return ResolveShift(span, &matrix.selector->shift);
    }
    case ExprKind::kSubquery: return ResolveSubquery(span, &Cast<Subquery>(*expr));
    case ExprKind::kAggregate: {
      auto& aggregate = Cast<Aggregate>(*expr);
      VARVE_RETURN_IF_ERROR(ResolveDurations(span, aggregate.expr.get()));
      return aggregate.param ? ResolveDurations(span, aggregate.param.get()) : Status::Ok();
    }
    case ExprKind::kBinary: {
      auto& binary = Cast<Binary>(*expr);
      VARVE_RETURN_IF_ERROR(ResolveDurations(span, binary.lhs.get()));
      return ResolveDurations(span, binary.rhs.get());
    }
    case ExprKind::kCall:
      for (const ExprPtr& arg : Cast<Call>(*expr).args) VARVE_RETURN_IF_ERROR(ResolveDurations(span, arg.get()));
      return Status::Ok();
    case ExprKind::kUnary: return ResolveDurations(span, Cast<Unary>(*expr).expr.get());
    case ExprKind::kParen: return ResolveDurations(span, Cast<Paren>(*expr).expr.get());
    case ExprKind::kNumber:
    case ExprKind::kString:
    case ExprKind::kDuration:
    case ExprKind::kLogql: return Status::Ok();
  }
  return Status::Ok();
}

}  // namespace varve::promql
