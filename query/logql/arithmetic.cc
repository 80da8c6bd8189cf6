#include "query/logql/arithmetic.h"

#include <cmath>
#include <limits>

namespace varve::logql {

double ApplyToNumbers(BinaryOp op, double left, double right) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  switch (op) {
    case BinaryOp::kAdd: return left + right;
    case BinaryOp::kSub: return left - right;
    case BinaryOp::kMul: return left * right;
    case BinaryOp::kDiv: return right == 0 ? kNaN : left / right;
    case BinaryOp::kMod: return right == 0 ? kNaN : std::fmod(left, right);
    case BinaryOp::kPow: return std::pow(left, right);
    case BinaryOp::kEq: return left == right ? 1 : 0;
    case BinaryOp::kNe: return left != right ? 1 : 0;
    case BinaryOp::kGt: return left > right ? 1 : 0;
    case BinaryOp::kGe: return left >= right ? 1 : 0;
    case BinaryOp::kLt: return left < right ? 1 : 0;
    case BinaryOp::kLe: return left <= right ? 1 : 0;
    case BinaryOp::kOr:
    case BinaryOp::kAnd:
    case BinaryOp::kUnless: break;
  }
  return kNaN;
}

}  // namespace varve::logql
