// Binary operators where at least one side is a native histogram (prom_surface 4.8), and the trims between floats.
//
// Threads: pure functions.
#pragma once

#include <string_view>

#include "query/promql/values/annotations.h"
#include "query/promql/values/step_column.h"

namespace varve::promql {

struct HistogramBinaryResult {
  // What the operator gives; of a comparison: the left side.
  Point point;
  // A comparison holds; always true of an operation that has a result.
  bool keep = false;
  // The operator does not take these operands, or conflicts with them: no result, not even with bool.
  bool failed = false;
};

// Not for set operators. Annotations go to `pos`, the position of the binary expression.
HistogramBinaryResult ApplyHistogramBinary(BinaryOp op, const Point& lhs, const Point& rhs, PositionRange pos,
                                           Annotations* notes);

}  // namespace varve::promql
