#include "query/promql/values/number_text.h"

#include <fmt/format.h>

#include <cmath>

#include "query/promql/syntax/number_text.h"

namespace varve::promql {

std::string GoG(double value) {
  std::string text;
  AppendGoNumber(&text, value);
  return text;
}

std::string GoG2(double value) {
  return std::isfinite(value) ? fmt::format("{:.2g}", value) : GoG(value);
}

std::string GoOpenMetrics(double value) {
  std::string text = GoG(value == 0 ? 0 : value);  // no minus before zero
  if (std::isfinite(value) && text.find_first_of("e.") == std::string::npos) text += ".0";
  return text;
}

}  // namespace varve::promql
