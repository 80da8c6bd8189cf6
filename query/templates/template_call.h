// How templates call their functions.
//
// A function has a signature that the evaluator checks and converts arguments to, as Go's reflection does;
// its body then finds arguments of the types it asked for.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/templates/byte_arena.h"
#include "query/templates/template_limits.h"
#include "query/templates/template_value.h"

namespace varve::templates {

class TemplateEvaluator;
class TemplateHost;

// Bytes for the values of one evaluation, out of an arena. Null results mean that its share is used up.
class TemplateMemory {
 public:
  TemplateMemory(ByteArena* arena, size_t bytes_max)
      : arena_(arena), left_(bytes_max), bytes_max_(bytes_max) {}
  // Uninitialised.
  char* Allocate(size_t size);
  // Counts bytes that come from elsewhere. False: they are too many.
  bool Charge(size_t size);
  template <typename T>
  T* AllocateArray(size_t count) {
    if (count > bytes_max_ / sizeof(T)) return nullptr;
    // The arena hands out bytes of any alignment.
    char* bytes = Allocate(count * sizeof(T) + alignof(T));
    if (bytes == nullptr) return nullptr;
    const auto address = reinterpret_cast<uintptr_t>(bytes);
    T* items = reinterpret_cast<T*>(bytes + (alignof(T) - address % alignof(T)) % alignof(T));
    for (size_t i = 0; i < count; ++i) std::construct_at(items + i);
    return items;
  }

  size_t bytes_max() const { return bytes_max_; }

 private:
  ByteArena* arena_;
  size_t left_;
  size_t bytes_max_;
};

// "exceeded <name> (<value>)", for limits of template_limits.h.
std::string LimitError(std::string_view name, int64_t value);

struct TemplateCall {
  std::span<const TemplateValue> arguments;
  TemplateMemory* memory;
  const TemplateHost* host;
  TemplateEvaluator* evaluator;
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
  // A copy that lives as long as the evaluation.
  bool ReturnCopy(std::string_view text);
  bool ReturnTime(const TimeValue& time);
  bool Fail(std::string message) {
    error = std::move(message);
    return false;
  }
  bool FailMemory() {
    return Fail(LimitError("template_memory_bytes_max", static_cast<int64_t>(memory->bytes_max())));
  }
};

// What a parameter takes: 's' string, 'i' int, 'f' float64, 't' time.Time, 'd' time.Duration, 'l' []string,
// 'L' []any, 'q' the answer of a query, 'e' an element of it, 'a' anything, 'v' anything (of Go's own
// functions, which call nil an invalid value). A '*' after the last one: any number of them.
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

// The functions that templates of one kind know, by name. Threads: immutable once made.
class FunctionTable {
 public:
  // Where tables have functions of one name, that of the later table counts. The tables must outlive it.
  explicit FunctionTable(std::initializer_list<std::span<const TemplateFunction>> tables);
  // Null when there is none.
  const TemplateFunction* Find(std::string_view name) const;

 private:
  std::vector<const TemplateFunction*> functions_;  // sorted by name
};

// Go's own functions.
std::span<const TemplateFunction> BuiltinFunctions();
std::span<const TemplateFunction> ComparisonFunctions();
// Those of LogQL's templates, most of them sprig's.
std::span<const TemplateFunction> TextFunctions();
std::span<const TemplateFunction> EncodingFunctions();
std::span<const TemplateFunction> NumberFunctions();
std::span<const TemplateFunction> TimeFunctions();
std::span<const TemplateFunction> JsonFunctions();
std::span<const TemplateFunction> RegexFunctions();

// Bodies of functions of rules and notifications: match pattern text, reReplaceAll pattern replacement text.
bool MatchRegex(TemplateCall* call);
bool ReplaceAllRegex(TemplateCall* call);

// Sprig's lenient conversions: what is no number is 0.
int64_t ToInt64(const TemplateValue& value);
double ToFloat64(const TemplateValue& value);

}  // namespace varve::templates
