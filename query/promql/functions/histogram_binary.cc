#include "query/promql/functions/histogram_binary.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "engine/model/labels.h"
#include "query/promql/values/float_histogram.h"

namespace varve::promql {
namespace {

HistogramBinaryResult Kept(FloatHistogram h) {
  return {Point::Histogram(std::make_shared<const FloatHistogram>(std::move(h))), true, false};
}

HistogramBinaryResult Failed() { return {Point::None(), false, true}; }

std::string_view TypeName(const Point& point) { return point.kind == PointKind::kHistogram ? "histogram" : "float"; }

HistogramBinaryResult WrongTypes(BinaryOp op, const Point& lhs, const Point& rhs, PositionRange pos,
                                 Annotations* notes) {
  const std::string_view text = BinaryOpText(op);
  if (notes != nullptr) {
    notes->AddInfo(pos, fmt::format("incompatible sample types encountered for binary operator {}: {} {} {}",
                                    GoQuoted(text), TypeName(lhs), text, TypeName(rhs)));
  }
  return Failed();
}

// lhs + rhs, lhs - rhs.
HistogramBinaryResult Combine(BinaryOp op, const FloatHistogram& lhs, const FloatHistogram& rhs, PositionRange pos,
                              Annotations* notes) {
  const bool add = op == BinaryOp::kAdd;
  FloatHistogram result = lhs;
  const HistogramOpNotes found = add ? result.Add(rhs) : result.Sub(rhs);
  const std::string_view operation = add ? "addition" : "subtraction";
  if (found.incompatible) {
    if (notes != nullptr) {
      notes->AddWarning(pos, fmt::format("incompatible bucket layout encountered for binary operator {}",
                                         BinaryOpText(op)));
    }
    return Failed();
  }
  if (found.reset_conflict) {
    if (notes != nullptr) {
      notes->AddWarning(pos, fmt::format("conflicting counter resets during histogram {}", operation));
    }
    return Failed();
  }
  if (found.bounds_reconciled && notes != nullptr) {
    notes->AddInfo(pos, fmt::format("mismatched custom buckets were reconciled during {}", operation));
  }
  if (!add) result.set_hint(CounterResetHint::kGauge);
  return Kept(std::move(result.Compact()));
}

}  // namespace

HistogramBinaryResult ApplyHistogramBinary(BinaryOp op, const Point& lhs, const Point& rhs, PositionRange pos,
                                           Annotations* notes) {
  const bool left = lhs.kind == PointKind::kHistogram;
  const bool right = rhs.kind == PointKind::kHistogram;
  if (left && right) {
    if (op == BinaryOp::kAdd || op == BinaryOp::kSub) return Combine(op, *lhs.histogram, *rhs.histogram, pos, notes);
    if (op == BinaryOp::kEq || op == BinaryOp::kNe) {
      const bool equal = lhs.histogram->Equals(*rhs.histogram);
      return {lhs, equal == (op == BinaryOp::kEq), false};
    }
    return WrongTypes(op, lhs, rhs, pos, notes);
  }
  if (op == BinaryOp::kMul && (left || right)) {
    FloatHistogram result = left ? *lhs.histogram : *rhs.histogram;
    return Kept(std::move(result.Mul(left ? rhs.value : lhs.value).Compact()));
  }
  if (left && (op == BinaryOp::kDiv || op == BinaryOp::kTrimUpper || op == BinaryOp::kTrimLower)) {
    FloatHistogram result = *lhs.histogram;
    if (op == BinaryOp::kDiv) result.Div(rhs.value).Compact();
    if (op == BinaryOp::kTrimUpper) result.TrimUpper(rhs.value);
    if (op == BinaryOp::kTrimLower) result.TrimLower(rhs.value);
    return Kept(std::move(result));
  }
  return WrongTypes(op, lhs, rhs, pos, notes);
}

}  // namespace varve::promql
