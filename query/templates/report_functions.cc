// What reports have beside the functions of rules, notifications and LogQL.
//
// Numbers come from queries as float64 and from templates as int: arithmetic takes both. It stays with
// integers when all operands are some; div does when there is no rest.

#include <cmath>
#include <limits>

#include "query/templates/document_host.h"
#include "query/templates/go_json.h"
#include "query/templates/humanize.h"
#include "query/templates/template_evaluator.h"
#include "query/templates/template_text.h"

namespace varve::templates {
namespace {

using Value = TemplateValue;

bool ReturnFloat(TemplateCall* call, double value) { return call->Return(Value::Float64(value)); }

// Whether all are integers; else `*ok` tells whether they are numbers at all.
bool AllIntegers(const TemplateCall& call) {
  for (const Value& value : call.arguments) {
    if (!value.is_integer()) return false;
  }
  return true;
}

template <char kOperation>
bool Arithmetic(TemplateCall* call) {
  const bool integers = AllIntegers(*call);
  int64_t whole = call->arguments[0].integer;
  double number = 0;
  if (!integers && !ConvertToFloat(call->arguments[0], &number, &call->error)) return false;
  bool exact = integers;
  for (const Value& value : call->arguments.subspan(1)) {
    double operand = static_cast<double>(value.integer);
    if (!integers && !ConvertToFloat(value, &operand, &call->error)) return false;
    if (exact) {
      int64_t result = 0;
      bool overflow = false;
      if (kOperation == '+') overflow = __builtin_add_overflow(whole, value.integer, &result);
      if (kOperation == '-') overflow = __builtin_sub_overflow(whole, value.integer, &result);
      if (kOperation == '*') overflow = __builtin_mul_overflow(whole, value.integer, &result);
      if (kOperation == '/') {
        overflow = value.integer == 0 || value.integer == -1 || whole % value.integer != 0;
        if (!overflow) result = whole / value.integer;
      }
      if (!overflow) {
        whole = result;
        continue;
      }
      exact = false;
      number = static_cast<double>(whole);
    }
    if (kOperation == '+') number += operand;
    if (kOperation == '-') number -= operand;
    if (kOperation == '*') number *= operand;
    if (kOperation == '/') number /= operand;
  }
  return exact ? call->Return(Value::Int64(whole)) : ReturnFloat(call, number);
}

// round value [digits], half away from zero.
bool Round(TemplateCall* call) {
  double number = 0;
  if (!ConvertToFloat(call->arguments[0], &number, &call->error)) return false;
  if (call->arguments.size() > 2) return call->Fail("round takes a number and its digits behind the point");
  const int64_t digits = call->arguments.size() > 1 ? call->Integer(1) : 0;
  if (digits < 0 || digits > 15) return call->Fail("round takes 0 to 15 digits");
  const double power = std::pow(10.0, static_cast<double>(digits));
  const double scaled = number * power;
  return ReturnFloat(call, std::isfinite(scaled) ? std::round(scaled) / power : number);
}

bool Json(TemplateCall* call) {
  std::string out;
  return AppendGoJson(call->arguments[0], &out, &call->error) && call->ReturnCopy(out);
}

bool ToFloat(TemplateCall* call) {
  double number = 0;
  return ConvertToFloat(call->arguments[0], &number, &call->error) && ReturnFloat(call, number);
}

// tmpl name data: what the named template gives, as HTML.
bool Render(TemplateCall* call) {
  const std::string name(call->Text(0));
  if (!call->evaluator->Defines(name)) {
    std::string quoted;
    AppendQuotedGo(name, false, '"', &quoted);
    return call->Fail("template: no template " + quoted + " in this document");
  }
  std::string out;
  if (!call->evaluator->Render(name, call->arguments[1], &out)) return false;
  if (!call->ReturnCopy(out)) return false;
  return call->Return(call->result.As(GoType::kHtml));
}

constexpr TemplateFunction kFunctions[] = {
    {"add", "aa*", Arithmetic<'+'>}, {"div", "aa*", Arithmetic<'/'>}, {"json", "a", Json},
    {"mul", "aa*", Arithmetic<'*'>}, {"round", "ai*", Round},         {"sub", "aa*", Arithmetic<'-'>},
    {"tmpl", "sa", Render},          {"toFloat", "a", ToFloat},
};

}  // namespace

std::span<const TemplateFunction> ReportFunctions() { return kFunctions; }

}  // namespace varve::templates
