// Template functions on numbers: arithmetic on integers and decimals, rounding, and the conversions of
// durations and sizes.

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "query/logql/values/byte_size.h"
#include "query/logql/values/duration.h"
#include "query/logql/values/number.h"
#include "query/templates/decimal.h"
#include "query/templates/template_call.h"
#include "query/templates/template_text.h"

namespace varve::templates {
namespace {

int64_t Truncated(double value) {
  // What Go does on amd64 for values that do not fit.
  if (!(value > -9.3e18 && value < 9.2233720368547748e18)) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}

// "12.50" is 12: the digits before a point, when there are only digits behind it.
std::string_view WithoutFraction(std::string_view text) {
  const size_t point = text.find('.');
  if (point == std::string_view::npos) return text;
  const std::string_view whole = text.substr(0, point);
  const std::string_view digits = whole.substr(whole.starts_with('-') || whole.starts_with('+') ? 1 : 0);
  const bool plain = digits.find_first_not_of("0123456789") == std::string_view::npos &&
                     text.find_first_not_of("0123456789", point + 1) == std::string_view::npos;
  return plain ? whole : text;
}

bool ReturnInteger(TemplateCall* call, int64_t value) { return call->Return(TemplateValue::Int64(value)); }
bool ReturnFloat(TemplateCall* call, double value) { return call->Return(TemplateValue::Float64(value)); }
int64_t Wrap(uint64_t value) { return static_cast<int64_t>(value); }

template <typename Operation>
bool Fold(TemplateCall* call, Operation operation) {
  int64_t result = call->arguments.empty() ? 0 : ToInt64(call->arguments[0]);
  for (size_t i = 1; i < call->arguments.size(); ++i) result = operation(result, ToInt64(call->arguments[i]));
  return ReturnInteger(call, result);
}

bool Add(TemplateCall* call) {
  return Fold(call,
              [](int64_t a, int64_t b) { return Wrap(static_cast<uint64_t>(a) + static_cast<uint64_t>(b)); });
}
bool Sub(TemplateCall* call) {
  return Fold(call,
              [](int64_t a, int64_t b) { return Wrap(static_cast<uint64_t>(a) - static_cast<uint64_t>(b)); });
}
bool Mul(TemplateCall* call) {
  return Fold(call,
              [](int64_t a, int64_t b) { return Wrap(static_cast<uint64_t>(a) * static_cast<uint64_t>(b)); });
}
bool Max(TemplateCall* call) {
  return Fold(call, [](int64_t a, int64_t b) { return std::max(a, b); });
}
bool Min(TemplateCall* call) {
  return Fold(call, [](int64_t a, int64_t b) { return std::min(a, b); });
}

template <bool kRemainder>
bool Divide(TemplateCall* call) {
  const int64_t a = ToInt64(call->arguments[0]);
  const int64_t b = ToInt64(call->arguments[1]);
  if (b == 0) return call->Fail("runtime error: integer divide by zero");
  if (b == -1) return ReturnInteger(call, kRemainder ? int64_t{0} : Wrap(0 - static_cast<uint64_t>(a)));
  return ReturnInteger(call, kRemainder ? a % b : a / b);
}

template <DecimalOperation kOperation>
bool FoldFloats(TemplateCall* call) {
  std::vector<double> operands;
  for (const TemplateValue& value : call->arguments) operands.push_back(ToFloat64(value));
  // addf starts with 0, the others with their first operand.
  constexpr bool kFromZero = kOperation == DecimalOperation::kAdd;
  const double first = kFromZero || operands.empty() ? 0 : operands[0];
  double result = 0;
  return FoldDecimals(kOperation, first, std::span<const double>(operands).subspan(kFromZero ? 0 : 1),
                      &result, &call->error) &&
         ReturnFloat(call, result);
}

template <bool kLargest>
bool ExtremeFloat(TemplateCall* call) {
  double result = ToFloat64(call->arguments[0]);
  for (const TemplateValue& value : call->arguments.subspan(1)) {
    const double other = ToFloat64(value);
    if (std::isnan(result) || std::isnan(other)) {
      result = std::numeric_limits<double>::quiet_NaN();
    } else {
      result = kLargest ? std::fmax(result, other) : std::fmin(result, other);
    }
  }
  return ReturnFloat(call, result);
}

bool Ceil(TemplateCall* call) { return ReturnFloat(call, std::ceil(ToFloat64(call->arguments[0]))); }
bool Floor(TemplateCall* call) { return ReturnFloat(call, std::floor(ToFloat64(call->arguments[0]))); }

// round value digits [from]: fractions from `from` (0.5) on go up. What is below zero is rounded down, as
// sprig does: its fraction is negative.
bool Round(TemplateCall* call) {
  const double threshold = call->arguments.size() > 2 ? call->arguments[2].number : 0.5;
  const double power = std::pow(10.0, static_cast<double>(call->Integer(1)));
  const double shifted = power * ToFloat64(call->arguments[0]);
  double whole = 0;
  const double fraction = std::modf(shifted, &whole);
  return ReturnFloat(call, (fraction >= threshold ? std::ceil(shifted) : std::floor(shifted)) / power);
}

bool Int(TemplateCall* call) { return call->Return(TemplateValue::Int(ToInt64(call->arguments[0]))); }
bool Float64(TemplateCall* call) { return ReturnFloat(call, ToFloat64(call->arguments[0])); }

bool Duration(TemplateCall* call) {
  int64_t duration_ns = 0;
  return logql::ParseGoDuration(call->Text(0), &duration_ns, &call->error) &&
         ReturnFloat(call, logql::DurationSeconds(duration_ns));
}

bool Bytes(TemplateCall* call) {
  uint64_t bytes = 0;
  return logql::ParseByteSize(call->Text(0), &bytes, &call->error) &&
         ReturnFloat(call, static_cast<double>(bytes));
}

constexpr TemplateFunction kFunctions[] = {
    {"add", "a*", Add},
    {"addf", "a*", FoldFloats<DecimalOperation::kAdd>},
    {"bytes", "s", Bytes},
    {"ceil", "a", Ceil},
    {"div", "aa", Divide<false>},
    {"divf", "aa*", FoldFloats<DecimalOperation::kDivide>},
    {"duration", "s", Duration},
    {"duration_seconds", "s", Duration},
    {"float64", "a", Float64},
    {"floor", "a", Floor},
    {"int", "a", Int},
    {"max", "aa*", Max},
    {"maxf", "aa*", ExtremeFloat<true>},
    {"min", "aa*", Min},
    {"minf", "aa*", ExtremeFloat<false>},
    {"mod", "aa", Divide<true>},
    {"mul", "aa*", Mul},
    {"mulf", "aa*", FoldFloats<DecimalOperation::kMultiply>},
    {"round", "aif*", Round},
    {"sub", "aa", Sub},
    {"subf", "aa*", FoldFloats<DecimalOperation::kSubtract>},
};

}  // namespace

int64_t ToInt64(const TemplateValue& value) {
  switch (value.type) {
    case ValueType::kFloat64: return Truncated(value.number);
    case ValueType::kBool: return value.truth ? 1 : 0;
    case ValueType::kString: {
      int64_t integer = 0;
      return ParseGoInteger(WithoutFraction(value.text), &integer) == GoInteger::kOk ? integer : 0;
    }
    default: return value.is_integer() ? value.integer : 0;
  }
}

double ToFloat64(const TemplateValue& value) {
  if (value.type == ValueType::kFloat64) return value.number;
  double number = 0;
  if (value.type == ValueType::kString) return logql::ParseGoFloat(value.text, &number, nullptr) ? number : 0;
  return static_cast<double>(ToInt64(value));
}

std::span<const TemplateFunction> NumberFunctions() { return kFunctions; }

}  // namespace varve::templates
