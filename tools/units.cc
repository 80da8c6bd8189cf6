#include "tools/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "engine/base/time.h"

namespace varve {
namespace {

struct Unit {
  std::string_view name;
  int64_t size;
};

constexpr int64_t kNsPerDay = 24 * kNsPerHour;
// Largest first, so that formatting can go down the list; "µs" is the other spelling of us.
constexpr std::array<Unit, 11> kDurationUnits = {{{"y", 365 * kNsPerDay},
                                                  {"w", 7 * kNsPerDay},
                                                  {"d", kNsPerDay},
                                                  {"h", kNsPerHour},
                                                  {"m", 60 * kNsPerSecond},
                                                  {"s", kNsPerSecond},
                                                  {"ms", kNsPerMs},
                                                  {"us", 1000},
                                                  {"µs", 1000},
                                                  {"μs", 1000},
                                                  {"ns", 1}}};
constexpr std::array<std::string_view, 6> kSizeNames = {"B", "KB", "MB", "GB", "TB", "PB"};

// Reads a number and the letters behind it off the front of `text`; both may be empty on return.
struct NumberAndUnit {
  double number = 0;
  std::string_view unit;
  bool ok = false;
};
NumberAndUnit TakeNumberAndUnit(std::string_view* text) {
  NumberAndUnit taken;
  const char* end = text->data() + text->size();
  // from_chars would take signs, "inf" and exponents; none of them is a size.
  if (text->empty() || (text->front() != '.' && (text->front() < '0' || text->front() > '9'))) return taken;
  const auto [after, error] = std::from_chars(text->data(), end, taken.number, std::chars_format::fixed);
  if (error != std::errc()) return taken;
  const char* unit_end = after;
  while (unit_end != end && *unit_end != '.' && (*unit_end < '0' || *unit_end > '9')) ++unit_end;
  taken.unit = std::string_view(after, static_cast<size_t>(unit_end - after));
  text->remove_prefix(static_cast<size_t>(unit_end - text->data()));
  taken.ok = true;
  return taken;
}

Status BadDuration(std::string_view text) {
  return InvalidArgument(fmt::format("\"{}\" is not a duration such as 30s, 1h30m or 7d", text));
}

Status BadSize(std::string_view text) {
  return InvalidArgument(fmt::format("\"{}\" is not a size such as 64KB, 512MB or 4GB", text));
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

Result<int64_t> ParseDuration(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative) rest.remove_prefix(1);
  if (rest == "0") return int64_t{0};
  if (rest.empty()) return BadDuration(text);
  double total = 0;
  while (!rest.empty()) {
    const NumberAndUnit part = TakeNumberAndUnit(&rest);
    if (!part.ok) return BadDuration(text);
    int64_t size = 0;
    for (const Unit& unit : kDurationUnits) {
      if (unit.name == part.unit) size = unit.size;
    }
    if (size == 0) return BadDuration(text);
    total += part.number * static_cast<double>(size);
  }
  if (total > 9.2e18) return BadDuration(text);
  const auto ns = static_cast<int64_t>(std::llround(total));
  return negative ? -ns : ns;
}

std::string FormatDuration(int64_t duration_ns) {
  if (duration_ns == 0) return "0s";
  std::string out = duration_ns < 0 ? "-" : "";
  // Negating in unsigned: the smallest int64 has no positive twin.
  uint64_t left = static_cast<uint64_t>(duration_ns);
  if (duration_ns < 0) left = 0 - left;
  for (const Unit& unit : kDurationUnits) {
    const auto size = static_cast<uint64_t>(unit.size);
    if (left < size || unit.name == "y" || unit.name == "w") continue;  // 30d says more than 4w2d
    out += fmt::format("{}{}", left / size, unit.name);
    left %= size;
  }
  return out;
}

Result<int64_t> ParseByteSize(std::string_view text) {
  std::string_view rest = text;
  const NumberAndUnit size = TakeNumberAndUnit(&rest);
  if (!size.ok || !rest.empty()) return BadSize(text);
  std::string unit;
  for (const char c : size.unit) {
    if (c != ' ') unit.push_back(Lower(c));
  }
  double factor = 1;
  if (!unit.empty() && unit != "b") {
    const size_t power = std::string_view("bkmgtp").find(unit.front());
    const std::string_view tail = std::string_view(unit).substr(1);
    if (power == 0 || power == std::string_view::npos || (!tail.empty() && tail != "b" && tail != "ib")) {
      return BadSize(text);
    }
    factor = std::pow(1024.0, static_cast<double>(power));
  }
  const double bytes = size.number * factor;
  if (bytes > 9.2e18) return BadSize(text);
  return static_cast<int64_t>(std::llround(bytes));
}

std::string FormatByteSize(int64_t bytes) {
  if (bytes == 0) return "0";
  size_t power = 0;
  while (bytes % 1024 == 0 && power + 1 < kSizeNames.size()) {
    bytes /= 1024;
    ++power;
  }
  return fmt::format("{}{}", bytes, kSizeNames[power]);
}

std::string FormatByteSizeRounded(double bytes) {
  size_t power = 0;
  while (bytes >= 999.5 && power + 1 < kSizeNames.size()) {
    bytes /= 1024;
    ++power;
  }
  if (power == 0) return fmt::format("{:.0f} B", bytes);
  return fmt::format("{:.{}f} {}", bytes, bytes < 9.995 ? 2 : bytes < 99.95 ? 1 : 0, kSizeNames[power]);
}

}  // namespace varve
