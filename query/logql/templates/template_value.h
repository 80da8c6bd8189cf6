// A value inside a template: what fields, constants and functions yield.
//
// Threads: thread-compatible. Ownership: strings are views into the row, the template or the evaluation's
// arena, and end with the evaluation.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "query/logql/row_arena.h"

namespace varve::logql {

using TemplateValue = std::variant<std::string_view, int64_t, double, bool>;

// Longer results of one function are an error: a row's template must stay bounded whatever it repeats.
inline constexpr size_t kTemplateTextBytesMax = 4 << 20;

// As Go's %v prints it.
void AppendTemplateValue(const TemplateValue& value, std::string* out);

// "string", "int", "float64", "bool".
std::string_view TemplateTypeName(const TemplateValue& value);

// A call of a template function: arguments in, result or error out.
struct TemplateCall {
  std::span<const TemplateValue> arguments;
  RowArena& arena;
  TemplateValue result;
  std::string error;  // in Go's words
};

// A function knows how many arguments it takes; `apply` returns false with `error` set.
struct TemplateFunction {
  std::string_view name;
  size_t arguments_min;
  size_t arguments_max;
  bool (*apply)(TemplateCall* call);
};

inline constexpr size_t kTemplateArgumentsMax = 16;

// Null when there is no such function, or not yet.
const TemplateFunction* FindTextFunction(std::string_view name);
const TemplateFunction* FindNumberFunction(std::string_view name);

// Argument `i` as a string or an integer; false with the error set when it is of another type.
bool TextArgument(TemplateCall* call, size_t i, std::string_view* text);
bool IntegerArgument(TemplateCall* call, size_t i, int64_t* value);

}  // namespace varve::logql
