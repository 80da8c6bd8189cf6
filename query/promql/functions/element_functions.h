// Functions that turn each element of an instant vector into another, on its own: abs, round, clamp, hour,
// histogram_count and their kin.
//
// Threads: functions are pure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "query/promql/values/annotations.h"
#include "query/promql/values/step_column.h"

namespace varve::promql {

struct ElementCall {
  std::span<const double> scalars;  // the scalar arguments at this step, in order
  int64_t eval_ms = 0;
  PositionRange pos;
  Annotations* notes = nullptr;
};

using ElementFunctionFn = Point (*)(const ElementCall& call, const Point& in);

// The same for a float, without the cost of a Point. False: no point. Histograms never give one where this is set.
using FloatElementFn = bool (*)(const ElementCall& call, double in, double* out);

struct ElementFunction {
  std::string_view name;
  ElementFunctionFn fn = nullptr;
  size_t vector_arg = 0;
  FloatElementFn float_fn = nullptr;  // null: there is none
};

// Null for functions of another kind. Those with an optional vector argument (hour()) get vector(time()) for it.
const ElementFunction* FindElementFunction(std::string_view name);

}  // namespace varve::promql
