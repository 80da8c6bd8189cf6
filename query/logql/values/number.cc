#include "query/logql/values/number.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "engine/model/labels.h"

namespace varve::logql {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool EqualsIgnoreCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (Lower(text[i]) != lower[i]) return false;
  }
  return true;
}

// Underscores must stand between digits; a base prefix counts as a digit.
bool UnderscoresOk(std::string_view text) {
  size_t i = 0;
  char previous = '^';  // what the last character was: '0' digit, '_' underscore, '!' neither
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) i = 1;
  bool hex = false;
  if (text.size() - i >= 2 && text[i] == '0' && Lower(text[i + 1]) == 'x') {
    i += 2;
    previous = '0';
    hex = true;
  }
  for (; i < text.size(); ++i) {
    const char c = Lower(text[i]);
    if (IsDigit(c) || (hex && c >= 'a' && c <= 'f')) {
      previous = '0';
    } else if (c == '_') {
      if (previous != '0') return false;
      previous = '_';
    } else {
      if (previous == '_') return false;
      previous = '!';
    }
  }
  return previous != '_';
}

// Whether `text` (no sign, no underscores) has the shape of a Go float: digits with at most one point,
// then an exponent, which a hexadecimal float must have.
bool HasFloatShape(std::string_view text, bool hex) {
  size_t i = 0;
  bool digits = false;
  bool point = false;
  for (; i < text.size(); ++i) {
    const char c = Lower(text[i]);
    if (IsDigit(c) || (hex && c >= 'a' && c <= 'f')) {
      digits = true;
    } else if (c == '.' && !point) {
      point = true;
    } else {
      break;
    }
  }
  if (!digits) return false;
  if (i == text.size()) return !hex;
  if (Lower(text[i]) != (hex ? 'p' : 'e')) return false;
  ++i;
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
  if (i == text.size()) return false;
  for (; i < text.size(); ++i) {
    if (!IsDigit(text[i])) return false;
  }
  return true;
}

enum class Outcome { kOk, kSyntax, kRange };

Outcome Parse(std::string_view text, double* value) {
  if (text.empty()) return Outcome::kSyntax;
  const bool negative = text[0] == '-';
  const bool sign = negative || text[0] == '+';
  std::string_view rest = text.substr(sign ? 1 : 0);
  if (EqualsIgnoreCase(rest, "inf") || EqualsIgnoreCase(rest, "infinity")) {
    *value = negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    return Outcome::kOk;
  }
  if (EqualsIgnoreCase(text, "nan")) {
    *value = std::numeric_limits<double>::quiet_NaN();
    return Outcome::kOk;
  }
  std::string plain;  // only when there are digit separators
  if (rest.find('_') != std::string_view::npos) {
    if (!UnderscoresOk(text)) return Outcome::kSyntax;
    for (const char c : rest) {
      if (c != '_') plain.push_back(c);
    }
    rest = plain;
  }
  const bool hex = rest.size() >= 2 && rest[0] == '0' && Lower(rest[1]) == 'x';
  if (hex) rest.remove_prefix(2);
  if (!HasFloatShape(rest, hex)) return Outcome::kSyntax;
  double magnitude = 0;
  const auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), magnitude,
                                           hex ? std::chars_format::hex : std::chars_format::general);
  if (code == std::errc::result_out_of_range) {
    // Too small or too large; strtod tells which.
    const std::string copy = (hex ? "0x" : "") + std::string(rest);
    magnitude = std::strtod(copy.c_str(), nullptr);
    if (std::isinf(magnitude)) return Outcome::kRange;
  } else if (code != std::errc() || end != rest.data() + rest.size()) {
    return Outcome::kSyntax;
  }
  *value = negative ? -magnitude : magnitude;
  return Outcome::kOk;
}

}  // namespace

bool ParseGoFloat(std::string_view text, double* value, std::string* error) {
  const Outcome outcome = Parse(text, value);
  if (outcome == Outcome::kOk) return true;
  if (error != nullptr) {
    *error = "strconv.ParseFloat: parsing ";
    AppendGoQuoted(error, text);
    error->append(outcome == Outcome::kRange ? ": value out of range" : ": invalid syntax");
  }
  return false;
}

}  // namespace varve::logql
