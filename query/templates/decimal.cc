// A decimal is coefficient * 10^exponent. Sums bring both to the smaller exponent; results are read back as
// the nearest float64 from their digits.

#include "query/templates/decimal.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include <boost/multiprecision/cpp_int.hpp>

#include "query/templates/template_call.h"

namespace varve::templates {
namespace {

using Integer = boost::multiprecision::cpp_int;

constexpr int64_t kDivisionPlaces = 16;

struct Decimal {
  Integer coefficient;
  int64_t exponent = 0;
};

Integer PowerOfTen(int64_t exponent) {
  return boost::multiprecision::pow(Integer(10), static_cast<unsigned>(exponent));
}

Decimal FromDouble(double value) {
  char buffer[64];
  const auto end = std::to_chars(buffer, std::end(buffer), std::abs(value), std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<size_t>(end.ptr - buffer));
  const size_t letter = text.find('e');
  std::string digits;
  for (const char c : text.substr(0, letter)) {
    if (c != '.') digits.push_back(c);
  }
  int power = 0;
  const std::string_view tail = text.substr(letter + 1);
  std::from_chars(tail.data() + (tail[0] == '+' ? 1 : 0), tail.data() + tail.size(), power);
  int64_t magnitude = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), magnitude);
  Decimal decimal;
  decimal.coefficient = std::signbit(value) ? -magnitude : magnitude;
  decimal.exponent = power - static_cast<int64_t>(digits.size()) + 1;
  return decimal;
}

int64_t Digits(const Integer& value) {
  if (value == 0) return 1;
  const auto bits = static_cast<int64_t>(boost::multiprecision::msb(value < 0 ? Integer(-value) : value));
  return bits * 30103 / 100000 + 1;
}

// Whether raising the coefficient by 10^by keeps it in bounds.
bool CanScale(const Decimal& decimal, int64_t by) {
  return by <= kTemplateDecimalDigitsMax && Digits(decimal.coefficient) + by <= kTemplateDecimalDigitsMax;
}

bool Sum(const Decimal& a, const Decimal& b, bool subtract, Decimal* result) {
  const int64_t exponent = std::min(a.exponent, b.exponent);
  if (!CanScale(a, a.exponent - exponent) || !CanScale(b, b.exponent - exponent)) return false;
  const Integer left = a.coefficient * PowerOfTen(a.exponent - exponent);
  const Integer right = b.coefficient * PowerOfTen(b.exponent - exponent);
  *result = {subtract ? Integer(left - right) : Integer(left + right), exponent};
  return true;
}

// Rounded half away from zero at kDivisionPlaces.
bool Quotient(const Decimal& a, const Decimal& b, Decimal* result) {
  const int64_t shift = a.exponent - b.exponent + kDivisionPlaces;
  Integer dividend = a.coefficient;
  Integer divisor = b.coefficient;
  if (shift >= 0 ? !CanScale(a, shift) : !CanScale(b, -shift)) return false;
  (shift >= 0 ? dividend : divisor) *= PowerOfTen(std::abs(shift));
  Integer quotient;
  Integer remainder;
  boost::multiprecision::divide_qr(dividend, divisor, quotient, remainder);
  if (abs(Integer(remainder * 2)) >= abs(divisor)) quotient += (dividend < 0) == (divisor < 0) ? 1 : -1;
  *result = {quotient, -kDivisionPlaces};
  return true;
}

double ToDouble(const Decimal& decimal) {
  if (decimal.coefficient == 0) return 0;
  const std::string text = decimal.coefficient.str() + "e" + std::to_string(decimal.exponent);
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc::result_out_of_range) return value;
  const bool huge = Digits(decimal.coefficient) + decimal.exponent > 0;
  const double magnitude = huge ? std::numeric_limits<double>::infinity() : 0;
  return decimal.coefficient < 0 ? -magnitude : magnitude;
}

bool Finite(double value, std::string* error) {
  if (std::isfinite(value)) return true;
  *error = "Cannot create a Decimal from ";
  *error += std::isnan(value) ? "NaN" : value < 0 ? "-Inf" : "+Inf";
  return false;
}

}  // namespace

bool FoldDecimals(DecimalOperation operation, double first, std::span<const double> rest, double* result,
                  std::string* error) {
  if (!Finite(first, error)) return false;
  Decimal total = FromDouble(first);
  for (const double operand : rest) {
    if (!Finite(operand, error)) return false;
    const Decimal decimal = FromDouble(operand);
    Decimal next;
    bool bounded = true;
    switch (operation) {
      case DecimalOperation::kAdd:
      case DecimalOperation::kSubtract:
        bounded = Sum(total, decimal, operation == DecimalOperation::kSubtract, &next);
        break;
      case DecimalOperation::kMultiply:
        bounded = CanScale(total, Digits(decimal.coefficient));
        if (bounded) next = {total.coefficient * decimal.coefficient, total.exponent + decimal.exponent};
        break;
      case DecimalOperation::kDivide:
        if (decimal.coefficient == 0) {
          *error = "decimal division by 0";
          return false;
        }
        bounded = Quotient(total, decimal, &next);
        break;
    }
    if (!bounded) {
      *error = LimitError("template_decimal_digits_max", kTemplateDecimalDigitsMax);
      return false;
    }
    total = next;
  }
  *result = ToDouble(total);
  return true;
}

}  // namespace varve::templates
