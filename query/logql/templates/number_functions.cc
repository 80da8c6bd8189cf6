// Template functions on numbers: integer arithmetic and the conversions of durations and sizes.

#include <algorithm>
#include <cmath>
#include <limits>

#include "query/logql/templates/template_value.h"
#include "query/logql/values/byte_size.h"
#include "query/logql/values/duration.h"
#include "query/logql/values/number.h"

namespace varve::logql {
namespace {

bool Return(TemplateCall* call, TemplateValue value) {
  call->result = value;
  return true;
}

int64_t Truncated(double value) {
  // What Go does on amd64 for values that do not fit.
  if (!(value > -9.3e18 && value < 9.2233720368547748e18)) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}

// An integer constant of Go: a sign, 0x, 0b, 0o or a leading 0 for octal, underscores after them.
bool ParseGoInteger(std::string_view text, int64_t* value) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  uint64_t base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char kind = static_cast<char>(text[1] | 0x20);
    base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
    text.remove_prefix(kind == 'x' || kind == 'b' || kind == 'o' ? 2 : 1);
  }
  if (text.empty()) return false;
  uint64_t magnitude = 0;
  for (const char c : text) {
    if (c == '_') continue;
    const int digit = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : 99;
    if (static_cast<uint64_t>(digit) >= base) return false;
    if (magnitude > (1ULL << 63) / base) return false;
    magnitude = magnitude * base + static_cast<uint64_t>(digit);
  }
  if (magnitude > (1ULL << 63) - (negative ? 0 : 1)) return false;
  *value = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
  return true;
}

// Lenient, as sprig: what is no number is 0, fractions are cut off.
int64_t ToInteger(const TemplateValue& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return *integer;
  if (const auto* number = std::get_if<double>(&value)) return Truncated(*number);
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? 1 : 0;
  const std::string_view text = std::get<std::string_view>(value);
  int64_t integer = 0;
  if (ParseGoInteger(text, &integer)) return integer;
  double number = 0;
  return ParseGoFloat(text, &number, nullptr) ? Truncated(number) : 0;
}

int64_t Wrap(uint64_t value) { return static_cast<int64_t>(value); }

template <typename Operation>
bool Fold(TemplateCall* call, Operation operation) {
  int64_t result = ToInteger(call->arguments[0]);
  for (size_t i = 1; i < call->arguments.size(); ++i) result = operation(result, ToInteger(call->arguments[i]));
  return Return(call, result);
}

bool Add(TemplateCall* call) {
  return Fold(call, [](int64_t a, int64_t b) { return Wrap(static_cast<uint64_t>(a) + static_cast<uint64_t>(b)); });
}
bool Sub(TemplateCall* call) {
  return Fold(call, [](int64_t a, int64_t b) { return Wrap(static_cast<uint64_t>(a) - static_cast<uint64_t>(b)); });
}
bool Mul(TemplateCall* call) {
  return Fold(call, [](int64_t a, int64_t b) { return Wrap(static_cast<uint64_t>(a) * static_cast<uint64_t>(b)); });
}
bool Max(TemplateCall* call) {
  return Fold(call, [](int64_t a, int64_t b) { return std::max(a, b); });
}
bool Min(TemplateCall* call) {
  return Fold(call, [](int64_t a, int64_t b) { return std::min(a, b); });
}

template <bool kRemainder>
bool Divide(TemplateCall* call) {
  const int64_t a = ToInteger(call->arguments[0]);
  const int64_t b = ToInteger(call->arguments[1]);
  if (b == 0) {
    call->error = "runtime error: integer divide by zero";
    return false;
  }
  if (b == -1) return Return(call, kRemainder ? int64_t{0} : Wrap(0 - static_cast<uint64_t>(a)));
  return Return(call, kRemainder ? a % b : a / b);
}

bool Int(TemplateCall* call) { return Return(call, ToInteger(call->arguments[0])); }

bool Float64(TemplateCall* call) {
  const TemplateValue& value = call->arguments[0];
  double number = 0;
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    if (!ParseGoFloat(*text, &number, nullptr)) number = 0;
  } else if (const auto* same = std::get_if<double>(&value)) {
    number = *same;
  } else {
    number = static_cast<double>(ToInteger(value));
  }
  return Return(call, number);
}

bool Duration(TemplateCall* call) {
  std::string_view text;
  int64_t duration_ns = 0;
  if (!TextArgument(call, 0, &text) || !ParseGoDuration(text, &duration_ns, &call->error)) return false;
  return Return(call, DurationSeconds(duration_ns));
}

bool Bytes(TemplateCall* call) {
  std::string_view text;
  uint64_t bytes = 0;
  if (!TextArgument(call, 0, &text) || !ParseByteSize(text, &bytes, &call->error)) return false;
  return Return(call, static_cast<double>(bytes));
}

constexpr TemplateFunction kFunctions[] = {
    {"add", 1, kTemplateArgumentsMax, Add},
    {"bytes", 1, 1, Bytes},
    {"div", 2, 2, Divide<false>},
    {"duration", 1, 1, Duration},
    {"duration_seconds", 1, 1, Duration},
    {"float64", 1, 1, Float64},
    {"int", 1, 1, Int},
    {"max", 1, kTemplateArgumentsMax, Max},
    {"min", 1, kTemplateArgumentsMax, Min},
    {"mod", 2, 2, Divide<true>},
    {"mul", 1, kTemplateArgumentsMax, Mul},
    {"sub", 2, 2, Sub},
};

}  // namespace

const TemplateFunction* FindNumberFunction(std::string_view name) {
  const auto* found = std::find_if(std::begin(kFunctions), std::end(kFunctions),
                                   [&](const TemplateFunction& function) { return function.name == name; });
  return found == std::end(kFunctions) ? nullptr : found;
}

}  // namespace varve::logql
