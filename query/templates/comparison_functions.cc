// Go's comparisons: operands must be of one kind, but any integer compares with any other.

#include "query/templates/go_format.h"
#include "query/templates/template_call.h"

namespace varve::templates {
namespace {

enum class BasicKind : uint8_t { kNone, kBool, kInteger, kFloat, kString };

BasicKind KindOf(const TemplateValue& value) {
  if (value.is_integer()) return BasicKind::kInteger;
  switch (value.type) {
    case ValueType::kBool: return BasicKind::kBool;
    case ValueType::kFloat64: return BasicKind::kFloat;
    case ValueType::kString: return BasicKind::kString;
    default: return BasicKind::kNone;
  }
}

std::string Incompatible(const TemplateValue& a, const TemplateValue& b) {
  return "incompatible types for comparison: " + std::string(TemplateTypeName(a)) + " and " +
         std::string(TemplateTypeName(b));
}

bool Equal(const TemplateValue& a, const TemplateValue& b, bool* equal, std::string* error) {
  *equal = false;
  const BasicKind kind = KindOf(a);
  if (kind != KindOf(b)) {
    if (a.is_nil() || b.is_nil()) return true;
    *error = Incompatible(a, b);
    return false;
  }
  switch (kind) {
    case BasicKind::kBool: *equal = a.truth == b.truth; return true;
    case BasicKind::kInteger: *equal = a.integer == b.integer; return true;
    case BasicKind::kFloat: *equal = a.number == b.number; return true;
    case BasicKind::kString: *equal = a.text == b.text; return true;
    case BasicKind::kNone: break;
  }
  if (a.is_nil() || b.is_nil()) {
    *equal = a.is_nil() && b.is_nil();
    return true;
  }
  if (a.type == ValueType::kTime && b.type == ValueType::kTime) {
    *equal = a.time->seconds == b.time->seconds && a.time->nanoseconds == b.time->nanoseconds &&
             a.time->location == b.time->location;
    return true;
  }
  const TemplateValue& shown = a.type == ValueType::kTime ? b : a;
  *error = "non-comparable type ";
  AppendGoValue(shown, error);
  *error += ": " + std::string(TemplateTypeName(shown));
  return false;
}

bool AnyEqual(TemplateCall* call) {
  if (call->arguments.size() < 2) return call->Fail("missing argument for comparison");
  for (size_t i = 1; i < call->arguments.size(); ++i) {
    bool equal = false;
    if (!Equal(call->arguments[0], call->arguments[i], &equal, &call->error)) return false;
    if (equal) return call->Return(TemplateValue::Bool(true));
  }
  return call->Return(TemplateValue::Bool(false));
}

bool NotEqual(TemplateCall* call) {
  bool equal = false;
  if (!Equal(call->arguments[0], call->arguments[1], &equal, &call->error)) return false;
  return call->Return(TemplateValue::Bool(!equal));
}

bool Less(const TemplateValue& a, const TemplateValue& b, bool* less, std::string* error) {
  const BasicKind kind = KindOf(a);
  if (kind == BasicKind::kNone || KindOf(b) == BasicKind::kNone) {
    *error = "invalid type for comparison";
    return false;
  }
  if (kind != KindOf(b)) {
    *error = Incompatible(a, b);
    return false;
  }
  switch (kind) {
    case BasicKind::kInteger: *less = a.integer < b.integer; return true;
    case BasicKind::kFloat: *less = a.number < b.number; return true;
    case BasicKind::kString: *less = a.text < b.text; return true;
    default: *error = "invalid type for comparison"; return false;
  }
}

// Go's le is "less or equal" and gt its opposite, which tells with NaN.
template <bool kOrEqual, bool kNegated>
bool Compare(TemplateCall* call) {
  const TemplateValue& a = call->arguments[0];
  const TemplateValue& b = call->arguments[1];
  bool result = false;
  if (!Less(a, b, &result, &call->error)) return false;
  if (kOrEqual && !result && !Equal(a, b, &result, &call->error)) return false;
  return call->Return(TemplateValue::Bool(result != kNegated));
}

bool Not(TemplateCall* call) { return call->Return(TemplateValue::Bool(!IsTrue(call->arguments[0]))); }

// and, or: the evaluator calls them itself, since they look at no more arguments than they need.
bool Unreached(TemplateCall* call) { return call->Fail("not callable"); }

constexpr TemplateFunction kFunctions[] = {
    {"and", "vv*", Unreached},
    {"eq", "vv*", AnyEqual},
    {"ge", "vv", Compare<false, true>},
    {"gt", "vv", Compare<true, true>},
    {"le", "vv", Compare<true, false>},
    {"lt", "vv", Compare<false, false>},
    {"ne", "vv", NotEqual},
    {"not", "v", Not},
    {"or", "vv*", Unreached},
};

}  // namespace

std::span<const TemplateFunction> ComparisonFunctions() { return kFunctions; }

}  // namespace varve::templates
