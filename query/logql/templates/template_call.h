// How templates call their functions.
//
// A function has a signature that the evaluator checks and converts arguments to, as Go's reflection does;
// its body then finds arguments of the types it asked for.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "query/logql/stages/stage.h"
#include "query/logql/templates/template_limits.h"
#include "query/logql/templates/template_value.h"

namespace varve::logql {

// Bytes for one row's values, out of the row's arena. Null results mean that the row's share is used up.
class TemplateMemory {
 public:
  explicit TemplateMemory(RowArena* arena) : arena_(arena) {}
  // Uninitialised.
  char* Allocate(size_t size);
  // Counts bytes that come from elsewhere. False: they are too many.
  bool Charge(size_t size);
  template <typename T>
  T* AllocateArray(size_t count) {
    if (count > kTemplateMemoryBytesMax / sizeof(T)) return nullptr;
    // The arena hands out bytes of any alignment.
    char* bytes = Allocate(count * sizeof(T) + alignof(T));
    if (bytes == nullptr) return nullptr;
    const auto address = reinterpret_cast<uintptr_t>(bytes);
    T* items = reinterpret_cast<T*>(bytes + (alignof(T) - address % alignof(T)) % alignof(T));
    for (size_t i = 0; i < count; ++i) std::construct_at(items + i);
    return items;
  }

 private:
  RowArena* arena_;
  size_t left_ = kTemplateMemoryBytesMax;
};

// "exceeded <name> (<value>)", for limits of template_limits.h.
std::string LimitError(std::string_view name, int64_t value);

struct TemplateCall {
  std::span<const TemplateValue> arguments;
  TemplateMemory* memory;
  const Row* row;
  const void* prepared = nullptr;  // see TemplateFunction::prepare
  TemplateValue result;
  std::string error;  // in Go's words

  std::string_view Text(size_t i) const { return arguments[i].text; }
  int64_t Integer(size_t i) const { return arguments[i].integer; }

  bool Return(TemplateValue value) {
    result = value;
    return true;
  }
  bool ReturnText(std::string_view text) { return Return(TemplateValue::String(text)); }
  // A copy that lives as long as the row.
  bool ReturnCopy(std::string_view text);
  bool ReturnTime(const TimeValue& time);
  bool Fail(std::string message) {
    error = std::move(message);
    return false;
  }
  bool FailMemory() { return Fail(LimitError("template_memory_bytes_max", kTemplateMemoryBytesMax)); }
};

// What a parameter takes: 's' string, 'i' int, 'f' float64, 't' time.Time, 'd' time.Duration, 'a' anything,
// 'v' anything (of Go's own functions, which call nil an invalid value). A '*' after the last one: any number
// of them.
struct TemplateFunction {
  std::string_view name;
  std::string_view parameters;
  bool (*apply)(TemplateCall* call);
  // Whether the first argument is a regular expression, to be compiled with the template when constant.
  bool takes_regex = false;

  bool variadic() const { return parameters.ends_with('*'); }
  size_t fixed_parameters() const { return variadic() ? parameters.size() - 2 : parameters.size(); }
  char parameter(size_t i) const {
    return variadic() && i >= fixed_parameters() ? parameters[parameters.size() - 2] : parameters[i];
  }
};

// Null when there is none.
const TemplateFunction* FindTemplateFunction(std::string_view name);

// The tables it is made of.
std::span<const TemplateFunction> BuiltinFunctions();
std::span<const TemplateFunction> ComparisonFunctions();
std::span<const TemplateFunction> TextFunctions();
std::span<const TemplateFunction> EncodingFunctions();
std::span<const TemplateFunction> NumberFunctions();
std::span<const TemplateFunction> TimeFunctions();
std::span<const TemplateFunction> JsonFunctions();
std::span<const TemplateFunction> RegexFunctions();

// Sprig's lenient conversions: what is no number is 0.
int64_t ToInt64(const TemplateValue& value);
double ToFloat64(const TemplateValue& value);

}  // namespace varve::logql
