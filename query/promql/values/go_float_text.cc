#include "query/promql/values/go_float_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace varve::promql {
namespace {

// The shortest digits that give the value back; with an exponent when that is below -4 or at least `exponent_min`.
std::string ShortestText(double value, int exponent_min) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 400> buffer;
  const auto print = [&](std::chars_format format) {
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format).ptr;
    return std::string_view(buffer.data(), static_cast<size_t>(end - buffer.data()));
  };
  const std::string_view scientific = print(std::chars_format::scientific);
  const int exponent = std::atoi(std::string(scientific.substr(scientific.find('e') + 1)).c_str());
  if (exponent < -4 || exponent >= exponent_min) return std::string(scientific);
  return std::string(print(std::chars_format::fixed));
}

}  // namespace

std::string GoFText(double value) { return std::isfinite(value) ? fmt::format("{:f}", value) : ShortestText(value, 6); }
std::string GoGText(double value) { return ShortestText(value, 6); }
std::string GoVText(double value) { return ShortestText(value, 21); }

}  // namespace varve::promql
