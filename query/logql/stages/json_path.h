// Paths of `| json a="b.c[1]"`: fields, quoted keys in brackets, array indexes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace varve::logql {

struct JsonPathStep {
  bool is_index = false;
  std::string key;
  uint32_t index = 0;
};
using JsonPath = std::vector<JsonPathStep>;

// Longer paths are refused; it bounds the recursion of the reader.
inline constexpr size_t kJsonPathStepsMax = 128;

// kInvalidArgument with Loki's text after the expression: "syntax error: unexpected DOT, expecting FIELD".
Result<JsonPath> ParseJsonPath(std::string_view text);

}  // namespace varve::logql
