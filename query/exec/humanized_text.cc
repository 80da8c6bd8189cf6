#include "query/exec/humanized_text.h"

#include <cmath>
#include <cstdio>

namespace varve {
namespace {

// The decimal fraction rest/unit behind a number, without trailing zeros: ".5", or "" for none.
std::string Fraction(uint64_t rest, uint64_t unit) {
  if (rest == 0) return "";
  std::string digits;
  for (uint64_t place = unit / 10; place != 0 && rest != 0; place /= 10) {
    digits.push_back(static_cast<char>('0' + rest / place));
    rest %= place;
  }
  return "." + digits;
}

}  // namespace

std::string GoDurationText(int64_t ns) {
  if (ns == 0) return "0s";
  const uint64_t magnitude = ns < 0 ? 0 - static_cast<uint64_t>(ns) : static_cast<uint64_t>(ns);
  const std::string sign = ns < 0 ? "-" : "";
  constexpr uint64_t kSecond = 1'000'000'000;
  if (magnitude < kSecond) {
    const auto [unit, name] = magnitude < 1000        ? std::pair<uint64_t, const char*>(1, "ns")
                              : magnitude < 1'000'000 ? std::pair<uint64_t, const char*>(1000, "µs")
                                                      : std::pair<uint64_t, const char*>(1'000'000, "ms");
    return sign + std::to_string(magnitude / unit) + Fraction(magnitude % unit, unit) + name;
  }
  const uint64_t seconds = magnitude / kSecond;
  std::string text = sign;
  if (seconds >= 3600) text += std::to_string(seconds / 3600) + "h";
  if (seconds >= 60) text += std::to_string(seconds / 60 % 60) + "m";
  return text + std::to_string(seconds % 60) + Fraction(magnitude % kSecond, kSecond) + "s";
}

std::string PrometheusDurationText(int64_t ns) {
  int64_t ms = ns / 1'000'000;
  if (ms == 0) return "0s";
  std::string text;
  if (ms < 0) {
    text = "-";
    ms = -ms;
  }
  struct Unit {
    const char* name;
    int64_t ms;
    bool exact;  // used only when nothing is left over, as Prometheus does
  };
  constexpr Unit kUnits[] = {{"y", 31'536'000'000, true},
                             {"w", 604'800'000, true},
                             {"d", 86'400'000, false},
                             {"h", 3'600'000, false},
                             {"m", 60'000, false},
                             {"s", 1000, false},
                             {"ms", 1, false}};
  for (const Unit& unit : kUnits) {
    if (unit.exact && ms % unit.ms != 0) continue;
    if (ms >= unit.ms) text += std::to_string(ms / unit.ms) + unit.name;
    ms %= unit.ms;
  }
  return text;
}

std::string HumanizedBytes(uint64_t bytes) {
  if (bytes < 10) return std::to_string(bytes) + " B";
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1000 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  value = std::floor(value * 10 + 0.5) / 10;
  char text[32];
  std::snprintf(text, sizeof(text), value < 10 ? "%.1f %s" : "%.0f %s", value, kUnits[unit]);
  return text;
}

}  // namespace varve
