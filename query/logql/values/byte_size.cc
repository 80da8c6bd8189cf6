#include "query/logql/values/byte_size.h"

#include <algorithm>

#include "query/logql/values/number.h"

namespace varve::logql {
namespace {

// The factor of a lower-case unit; 0 when there is no such unit.
double UnitBytes(std::string_view unit) {
  if (unit.empty() || unit == "b") return 1;
  const size_t power = std::string_view("kmgtpe").find(unit[0]);
  if (power == std::string_view::npos) return 0;
  unit.remove_prefix(1);
  const bool binary = !unit.empty() && unit[0] == 'i';
  if (binary) unit.remove_prefix(1);
  if (!unit.empty() && unit != "b") return 0;
  double factor = 1;
  for (size_t i = 0; i <= power; ++i) factor *= binary ? 1024 : 1000;
  return factor;
}

std::string_view TrimSpace(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

bool ParseByteSize(std::string_view text, uint64_t* bytes, std::string* error) {
  size_t digits = 0;
  bool comma = false;
  for (; digits < text.size(); ++digits) {
    const char c = text[digits];
    if (c == ',') {
      comma = true;
    } else if (c != '.' && (c < '0' || c > '9')) {
      break;
    }
  }
  std::string_view number = text.substr(0, digits);
  std::string without_commas;
  if (comma) {
    for (const char c : number) {
      if (c != ',') without_commas.push_back(c);
    }
    number = without_commas;
  }
  double value = 0;
  if (!ParseGoFloat(number, &value, error)) return false;
  std::string unit(TrimSpace(text.substr(digits)));
  std::transform(unit.begin(), unit.end(), unit.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const double factor = UnitBytes(unit);
  if (factor == 0) {
    if (error != nullptr) *error = "unhandled size name: " + unit;
    return false;
  }
  value *= factor;
  if (value >= 18446744073709551616.0) {
    if (error != nullptr) *error = "too large: " + std::string(text);
    return false;
  }
  *bytes = static_cast<uint64_t>(value);
  return true;
}

}  // namespace varve::logql
