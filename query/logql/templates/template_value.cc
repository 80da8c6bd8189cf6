#include "query/logql/templates/template_value.h"

#include <charconv>
#include <cmath>

namespace varve::logql {
namespace {

// Go prints the shortest digits that read back, with an exponent from 1e21 on and below 1e-4.
void AppendGoFloat(double value, std::string* out) {
  if (std::isnan(value)) {
    out->append("NaN");
    return;
  }
  if (std::isinf(value)) {
    out->append(value > 0 ? "+Inf" : "-Inf");
    return;
  }
  const double magnitude = std::fabs(value);
  const bool exponent = magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e21);
  char buffer[400];
  const auto [end, code] = std::to_chars(buffer, buffer + sizeof(buffer), value,
                                         exponent ? std::chars_format::scientific : std::chars_format::fixed);
  if (code == std::errc()) out->append(buffer, end);
}

}  // namespace

void AppendTemplateValue(const TemplateValue& value, std::string* out) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    out->append(*text);
  } else if (const auto* integer = std::get_if<int64_t>(&value)) {
    out->append(std::to_string(*integer));
  } else if (const auto* number = std::get_if<double>(&value)) {
    AppendGoFloat(*number, out);
  } else {
    out->append(std::get<bool>(value) ? "true" : "false");
  }
}

std::string_view TemplateTypeName(const TemplateValue& value) {
  static constexpr std::string_view kNames[] = {"string", "int", "float64", "bool"};
  return kNames[value.index()];
}

bool TextArgument(TemplateCall* call, size_t i, std::string_view* text) {
  if (const auto* value = std::get_if<std::string_view>(&call->arguments[i])) {
    *text = *value;
    return true;
  }
  call->error = "wrong type for value; expected string; got ";
  call->error += TemplateTypeName(call->arguments[i]);
  return false;
}

bool IntegerArgument(TemplateCall* call, size_t i, int64_t* value) {
  if (const auto* integer = std::get_if<int64_t>(&call->arguments[i])) {
    *value = *integer;
    return true;
  }
  call->error = "wrong type for value; expected int; got ";
  call->error += TemplateTypeName(call->arguments[i]);
  return false;
}

}  // namespace varve::logql
