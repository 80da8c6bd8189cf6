#include "http/query_params.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "engine/model/labels.h"
#include "query/exec/humanized_text.h"
#include "query/logql/literals.h"

namespace varve {
namespace {

constexpr int64_t kMaxNs = std::numeric_limits<int64_t>::max();
constexpr int64_t kMinNs = std::numeric_limits<int64_t>::min();

int64_t ClampToInt64(__int128 value) {
  return static_cast<int64_t>(
      std::clamp(value, static_cast<__int128>(kMinNs), static_cast<__int128>(kMaxNs)));
}

// Go's strconv.ParseInt(text, 10, 64), `function` being the name that its error begins with.
Result<int64_t> ParseGoInt(std::string_view text, std::string_view function) {
  std::string_view digits = text;
  if (!digits.empty() && digits.front() == '+') digits.remove_prefix(1);
  int64_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool sign_twice = digits.size() != text.size() && !digits.empty() && digits.front() == '-';
  const char* reason = nullptr;
  if (result.ec == std::errc::invalid_argument || result.ptr != digits.data() + digits.size() || sign_twice) {
    reason = "invalid syntax";
  } else if (result.ec == std::errc::result_out_of_range) {
    reason = "value out of range";
  } else {
    return value;
  }
  return InvalidArgument(std::string(function) + ": parsing " + GoQuoted(text) + ": " + reason);
}

// Go's strconv.ParseFloat, without hexadecimal floats and underscores.
std::optional<double> ParseGoFloat(std::string_view text) {
  std::string_view magnitude = text;
  bool negative = false;
  if (!magnitude.empty() && (magnitude.front() == '+' || magnitude.front() == '-')) {
    negative = magnitude.front() == '-';
    magnitude.remove_prefix(1);
  }
  // from_chars would take a second sign.
  if (magnitude.empty() || magnitude.front() == '-') return std::nullopt;
  double value = 0;
  const auto result = std::from_chars(magnitude.data(), magnitude.data() + magnitude.size(), value);
  if (result.ec != std::errc() || result.ptr != magnitude.data() + magnitude.size()) return std::nullopt;
  return negative ? -value : value;
}

// Days since 1970-01-01 of a date of the Gregorian calendar (Howard Hinnant's days_from_civil).
int64_t DaysFromCivil(int64_t year, unsigned month, unsigned day) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month + (month > 2 ? -3U : 9U)) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + static_cast<int64_t>(day_of_era) - 719468;
}

unsigned DaysInMonth(unsigned year, unsigned month) {
  constexpr std::array<unsigned, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

// Reads an RFC 3339 time piece by piece; a piece that is not there makes every later one fail.
class Rfc3339Reader {
 public:
  explicit Rfc3339Reader(std::string_view text) : rest_(text) {}

  unsigned Digits(size_t count, unsigned low, unsigned high) {
    unsigned value = 0;
    for (size_t i = 0; i < count; ++i) {
      if (i >= rest_.size() || rest_[i] < '0' || rest_[i] > '9') return Fail();
      value = value * 10 + static_cast<unsigned>(rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value < low || value > high ? Fail() : value;
  }
  void Literal(char c) {
    if (Peek() != c) {
      Fail();
    } else {
      rest_.remove_prefix(1);
    }
  }
  // Nanoseconds after a '.' (or ','): any number of digits, of which nine count.
  int64_t Fraction() {
    if (Peek() != '.' && Peek() != ',') return 0;
    rest_.remove_prefix(1);
    int64_t ns = 0;
    size_t count = 0;
    for (; count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9'; ++count) {
      if (count < 9) ns = ns * 10 + (rest_[count] - '0');
    }
    if (count == 0) return Fail();
    for (size_t i = count; i < 9; ++i) ns *= 10;
    rest_.remove_prefix(count);
    return ns;
  }
  // Seconds east of UTC.
  int64_t Offset() {
    const char sign = Peek();
    if (sign == 'Z') {
      rest_.remove_prefix(1);
      return 0;
    }
    if (sign != '+' && sign != '-') return Fail();
    rest_.remove_prefix(1);
    const int64_t hours = Digits(2, 0, 24);
    Literal(':');
    const int64_t minutes = Digits(2, 0, 60);
    return (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
  }
  bool AtEnd() const { return ok_ && rest_.empty(); }
  bool ok() const { return ok_; }

 private:
  char Peek() const { return ok_ && !rest_.empty() ? rest_.front() : '\0'; }
  unsigned Fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

std::optional<int64_t> ParseRfc3339Ns(std::string_view text) {
  Rfc3339Reader reader(text);
  const unsigned year = reader.Digits(4, 0, 9999);
  reader.Literal('-');
  const unsigned month = reader.Digits(2, 1, 12);
  reader.Literal('-');
  const unsigned day = reader.Digits(2, 1, 31);
  reader.Literal('T');
  const unsigned hour = reader.Digits(2, 0, 23);
  reader.Literal(':');
  const unsigned minute = reader.Digits(2, 0, 59);
  reader.Literal(':');
  const unsigned second = reader.Digits(2, 0, 59);
  const int64_t fraction_ns = reader.Fraction();
  const int64_t offset = reader.Offset();
  if (!reader.AtEnd() || day > DaysInMonth(year, month)) return std::nullopt;
  const int64_t seconds =
      DaysFromCivil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
  return ClampToInt64(static_cast<__int128>(seconds) * kNsPerSecond + fraction_ns);
}

std::string WithThousands(uint32_t value) {
  std::string text = std::to_string(value);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

}  // namespace

Result<int64_t> ParseTimeNs(std::string_view value, int64_t default_ns) {
  if (value.empty()) return default_ns;
  if (value.find('.') != std::string_view::npos) {
    if (const std::optional<double> seconds = ParseGoFloat(value)) {
      if (!(std::fabs(*seconds) < 1e10)) return std::signbit(*seconds) ? kMinNs : kMaxNs;
      double whole = 0;
      const double fraction = std::modf(*seconds, &whole);
      const auto fraction_ms = static_cast<int64_t>(std::round(fraction * 1000));
      return ClampToInt64(static_cast<__int128>(static_cast<int64_t>(whole)) * kNsPerSecond +
                          fraction_ms * kNsPerMs);
    }
  }
  Result<int64_t> number = ParseGoInt(value, "strconv.ParseInt");
  if (!number.ok()) {
    if (const std::optional<int64_t> time_ns = ParseRfc3339Ns(value)) return *time_ns;
    return number;
  }
  if (value.size() <= 10) return ClampToInt64(static_cast<__int128>(*number) * kNsPerSecond);
  return *number;
}

Result<int64_t> ParseSecondsOrDurationNs(std::string_view value) {
  if (const std::optional<double> seconds = ParseGoFloat(value)) {
    const double ns = *seconds * static_cast<double>(kNsPerSecond);
    constexpr double kLimit = 9223372036854775808.0;  // 2^63
    if (ns >= kLimit || ns < -kLimit) {
      return InvalidArgument("cannot parse " + GoQuoted(value) + " to a valid duration. It overflows int64");
    }
    return std::isnan(ns) ? kMinNs : static_cast<int64_t>(ns);
  }
  Result<int64_t> duration = logql::ParsePrometheusDuration(value);
  if (!duration.ok()) return InvalidArgument("cannot parse " + GoQuoted(value) + " to a valid duration");
  return duration;
}

Result<uint32_t> ParseLimit(std::string_view value, uint32_t default_limit, std::string_view name) {
  if (value.empty()) return default_limit;
  VARVE_ASSIGN_OR_RETURN(const int64_t limit, ParseGoInt(value, "strconv.Atoi"));
  if (limit <= 0) return InvalidArgument("limit must be a positive value");
  if (limit > std::numeric_limits<uint32_t>::max()) {
    return InvalidArgument(std::string(name) + " value " + std::to_string(limit) +
                           " is out of range [0, 4294967295]");
  }
  return static_cast<uint32_t>(limit);
}

Result<Direction> ParseDirection(std::string_view value) {
  if (value.empty()) return Direction::kBackward;
  std::string lower(value);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (lower == "backward") return Direction::kBackward;
  if (lower == "forward") return Direction::kForward;
  return InvalidArgument("invalid direction '" + std::string(value) + "'");
}

Result<TimeBounds> ParseBounds(const FormParams& params, int64_t now_ns) {
  int64_t since_ns = kDefaultSinceNs;
  if (const std::string_view since = params.Get("since"); !since.empty()) {
    Result<int64_t> parsed = logql::ParsePrometheusDuration(since);
    if (!parsed.ok())
      return InvalidArgument("could not parse 'since' parameter: " + parsed.status().message());
    since_ns = *parsed;
  }
  TimeBounds bounds;
  Result<int64_t> end = ParseTimeNs(params.Get("end"), now_ns);
  if (!end.ok()) return InvalidArgument("could not parse 'end' parameter: " + end.status().message());
  bounds.end_ns = *end;
  const __int128 default_start = static_cast<__int128>(std::min(bounds.end_ns, now_ns)) - since_ns;
  Result<int64_t> start = ParseTimeNs(params.Get("start"), ClampToInt64(default_start));
  if (!start.ok()) return InvalidArgument("could not parse 'start' parameter: " + start.status().message());
  bounds.start_ns = *start;
  return bounds;
}

Result<int64_t> ParseStep(std::string_view value, const TimeBounds& bounds, uint32_t max_points) {
  const __int128 span = static_cast<__int128>(bounds.end_ns) - bounds.start_ns;
  int64_t step_ns = 0;
  if (value.empty()) {
    step_ns = ClampToInt64(std::max<__int128>(span / kNsPerSecond / 250, 1) * kNsPerSecond);
  } else {
    VARVE_ASSIGN_OR_RETURN(step_ns, ParseSecondsOrDurationNs(value));
  }
  if (step_ns <= 0) {
    return InvalidArgument(
        "zero or negative query resolution step widths are not accepted. Try a positive integer");
  }
  if (max_points != 0 && span / step_ns > max_points) {
    return InvalidArgument("exceeded maximum resolution of " + WithThousands(max_points) +
                           " points per time series. Try increasing the value of the step parameter");
  }
  return step_ns;
}

Result<RangeParams> ParseRangeParams(const FormParams& params, int64_t now_ns, uint32_t max_points) {
  RangeParams range;
  VARVE_ASSIGN_OR_RETURN(range.bounds, ParseBounds(params, now_ns));
  if (range.bounds.end_ns < range.bounds.start_ns) {
    return InvalidArgument("end timestamp must not be before or equal to start time");
  }
  VARVE_ASSIGN_OR_RETURN(range.limit, ParseLimit(params.Get("limit")));
  VARVE_ASSIGN_OR_RETURN(range.direction, ParseDirection(params.Get("direction")));
  VARVE_ASSIGN_OR_RETURN(range.step_ns, ParseStep(params.Get("step"), range.bounds, max_points));
  if (const std::string_view interval = params.Get("interval"); !interval.empty()) {
    VARVE_ASSIGN_OR_RETURN(range.interval_ns, ParseSecondsOrDurationNs(interval));
    if (range.interval_ns < 0) return InvalidArgument("interval must be >= 0");
  }
  return range;
}

Status ApplyTimeLimits(const QueryLimits& limits, int64_t now_ns, TimeBounds* bounds) {
  if (limits.max_query_lookback_ns > 0) {
    bounds->start_ns = std::max(bounds->start_ns, now_ns - limits.max_query_lookback_ns);
  }
  const __int128 length = static_cast<__int128>(bounds->end_ns) - bounds->start_ns;
  if (limits.max_query_length_ns > 0 && length > limits.max_query_length_ns) {
    return InvalidArgument(
        "the query time range exceeds the limit (query length: " + GoDurationText(ClampToInt64(length)) +
        ", limit: " + PrometheusDurationText(limits.max_query_length_ns) + ")");
  }
  return Status::Ok();
}

}  // namespace varve
