// The table of PromQL's functions: names, arguments, results.
//
// Order and texts of errors come from Prometheus (prom_surface 4.2, 4.4).
// Threads: constant.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "query/promql/syntax/ast.h"

namespace varve::promql {

struct FunctionSignature {
  std::string_view name;
  std::vector<ValueType> args;
  // 0: exactly `args`; n > 0: the last n of args may be left out; -1: the last may be repeated or left out.
  int variadic = 0;
  ValueType result = ValueType::kVector;
  bool experimental = false;
};

// Null when there is no function of that name.
const FunctionSignature* FindFunction(std::string_view name);
// Ascending by name.
std::span<const FunctionSignature> AllFunctions();

}  // namespace varve::promql
