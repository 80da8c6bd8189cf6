#include "query/promql/functions/element_functions.h"

#include <math.h>

#include <algorithm>
#include <array>
#include <limits>
#include <numbers>

#include "query/promql/functions/calendar.h"
#include "query/promql/functions/go_extremes.h"
#include "query/promql/functions/histogram_functions.h"

namespace varve::promql {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <double (*kFn)(double)>
bool Apply(const ElementCall&, double in, double* out) {
  *out = kFn(in);
  return true;
}

double Degrees(double radians) { return radians * 180 / std::numbers::pi; }
double Radians(double degrees) { return degrees * std::numbers::pi / 180; }
double Sign(double value) { return value < 0 ? -1 : value > 0 ? 1 : value; }

// Prometheus's logarithm on amd64 takes a subnormal number m * 2^-1074 for (1 + m * 2^-52) * 2^-1023, as if its exponent
// were like any other. So do recorded answers.
double Ln(double value) {
  if (fpclassify(value) != FP_SUBNORMAL || value < 0) return log(value);
  const double mantissa = ldexp(value, 1074 - 52);
  return log((1 + mantissa) / 2) - 1022 * std::numbers::ln2;
}
double Log10(double value) {
  return fpclassify(value) == FP_SUBNORMAL ? Ln(value) / std::numbers::ln10 : log10(value);
}

bool Round(const ElementCall& call, double in, double* out) {
  const double nearest = call.scalars.empty() ? 1 : call.scalars[0];
  const double inverse = 1.0 / nearest;  // 0.1 has none that is exact, 10 is
  *out = floor(in * inverse + 0.5) / inverse;
  return true;
}

bool ClampTo(double in, double least, double most, double* out) {
  if (most < least) return false;
  *out = GoMax(least, GoMin(most, in));
  return true;
}
bool Clamp(const ElementCall& call, double in, double* out) {
  return ClampTo(in, call.scalars[0], call.scalars[1], out);
}
bool ClampMax(const ElementCall& call, double in, double* out) {
  return ClampTo(in, -kInfinity, call.scalars[0], out);
}
bool ClampMin(const ElementCall& call, double in, double* out) {
  return ClampTo(in, call.scalars[0], kInfinity, out);
}

double Hour(double seconds) { return SplitUnixSeconds(seconds).hour; }
double Minute(double seconds) { return SplitUnixSeconds(seconds).minute; }
CivilDate DateOf(double seconds) { return DateOfDay(SplitUnixSeconds(seconds).day); }
double Year(double seconds) { return static_cast<double>(DateOf(seconds).year); }
double Month(double seconds) { return DateOf(seconds).month; }
double DayOfMonth(double seconds) { return DateOf(seconds).day; }
double DayOfWeek(double seconds) { return DateOf(seconds).day_of_week; }
double DayOfYear(double seconds) { return DateOf(seconds).day_of_year; }
double DaysInMonth(double seconds) { return DateOf(seconds).days_in_month; }

template <FloatElementFn kFn>
Point OfFloat(const ElementCall& call, const Point& in) {
  double value = 0;
  if (in.kind != PointKind::kFloat || !kFn(call, in.value, &value)) return Point::None();
  return Point::Float(value);
}

template <FloatElementFn kFn>
constexpr ElementFunction Floats(std::string_view name) {
  return {name, OfFloat<kFn>, 0, kFn};
}

// Ascending by name.
constexpr std::array kFunctions = {
    Floats<Apply<fabs>>("abs"),
    Floats<Apply<acos>>("acos"),
    Floats<Apply<acosh>>("acosh"),
    Floats<Apply<asin>>("asin"),
    Floats<Apply<asinh>>("asinh"),
    Floats<Apply<atan>>("atan"),
    Floats<Apply<atanh>>("atanh"),
    Floats<Apply<ceil>>("ceil"),
    Floats<Clamp>("clamp"),
    Floats<ClampMax>("clamp_max"),
    Floats<ClampMin>("clamp_min"),
    Floats<Apply<cos>>("cos"),
    Floats<Apply<cosh>>("cosh"),
    Floats<Apply<DayOfMonth>>("day_of_month"),
    Floats<Apply<DayOfWeek>>("day_of_week"),
    Floats<Apply<DayOfYear>>("day_of_year"),
    Floats<Apply<DaysInMonth>>("days_in_month"),
    Floats<Apply<Degrees>>("deg"),
    Floats<Apply<exp>>("exp"),
    Floats<Apply<floor>>("floor"),
    Floats<Apply<Hour>>("hour"),
    Floats<Apply<Ln>>("ln"),
    Floats<Apply<Log10>>("log10"),
    Floats<Apply<log2>>("log2"),
    Floats<Apply<Minute>>("minute"),
    Floats<Apply<Month>>("month"),
    Floats<Apply<Radians>>("rad"),
    Floats<Round>("round"),
    Floats<Apply<Sign>>("sgn"),
    Floats<Apply<sin>>("sin"),
    Floats<Apply<sinh>>("sinh"),
    Floats<Apply<sqrt>>("sqrt"),
    Floats<Apply<tan>>("tan"),
    Floats<Apply<tanh>>("tanh"),
    Floats<Apply<Year>>("year"),
};

}  // namespace

const ElementFunction* FindElementFunction(std::string_view name) {
  if (name.starts_with("histogram_")) {
    for (const ElementFunction& function : HistogramElementFunctions()) {
      if (function.name == name) return &function;
    }
    return nullptr;
  }
  const auto* const found = std::lower_bound(kFunctions.begin(), kFunctions.end(), name,
                                             [](const ElementFunction& f, std::string_view n) { return f.name < n; });
  return found != kFunctions.end() && found->name == name ? found : nullptr;
}

}  // namespace varve::promql
