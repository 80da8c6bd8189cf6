#include "http/query_params.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "engine/base/rfc3339.h"
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
    if (const std::optional<UnixTime> time = ParseRfc3339(value)) {
      return ClampToInt64(static_cast<__int128>(time->seconds) * kNsPerSecond + time->ns);
    }
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
