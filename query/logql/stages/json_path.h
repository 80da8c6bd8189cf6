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

// For the expressions of json and logfmt. The text of a quoted key, whose opening quote has been taken; it
// ends at a quote or ']', which is taken too, or with the text.
std::string_view TakeQuoted(std::string_view* rest);
// The first UTF-8 character, or U+FFFD where there is none. `text` is not empty.
std::string_view FirstCharacter(std::string_view text);

}  // namespace varve::logql
