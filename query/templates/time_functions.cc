// Template functions on times, and the methods of times, durations, months and weekdays.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "query/templates/go_format.h"
#include "query/templates/go_time_layout.h"
#include "query/templates/template_call.h"
#include "query/templates/template_text.h"
#include "query/templates/time_zone.h"
#include "query/templates/value_methods.h"

namespace varve::templates {
namespace {

using Value = TemplateValue;

constexpr int64_t kSecondNs = 1'000'000'000;

TimeValue FromSeconds(int64_t seconds) {
  TimeValue time;
  time.seconds = seconds;
  return time;
}

TimeValue FromScaled(int64_t count, int64_t units_per_second) {
  TimeValue time;
  time.seconds = count / units_per_second;
  int64_t rest = count % units_per_second;
  if (rest < 0) {
    rest += units_per_second;
    --time.seconds;
  }
  time.nanoseconds = static_cast<int32_t>(rest * (kSecondNs / units_per_second));
  return time;
}

// Wraps around where Go does.
int64_t Scaled(const TimeValue& time, int64_t units_per_second) {
  return static_cast<int64_t>(static_cast<uint64_t>(time.seconds) * static_cast<uint64_t>(units_per_second) +
                              static_cast<uint64_t>(time.nanoseconds / (kSecondNs / units_per_second)));
}

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool Now(TemplateCall* call) { return call->ReturnTime(TimeFromUnixNs(NowNs())); }

// date layout time: the time may also be seconds since 1970; anything else is now.
bool Date(TemplateCall* call) {
  const Value& value = call->arguments[1];
  TimeValue time;
  if (value.type == ValueType::kTime) {
    time = *value.time;
    time.location = nullptr;
  } else if (value.type == ValueType::kInt || value.type == ValueType::kInt64 ||
             value.type == ValueType::kInt32) {
    time.seconds = value.integer;
  } else {
    time = TimeFromUnixNs(NowNs());
  }
  SetZone(&time);
  std::string out;
  AppendTime(time, call->Text(0), &out);
  return call->ReturnCopy(out);
}

bool ReturnParsed(TemplateCall* call, std::string_view layout, std::string_view text,
                  const TimeZone* location) {
  TimeValue time;
  if (!ParseTime(layout, text, location, &time)) time = FromSeconds(kZeroTimeSeconds);
  return call->ReturnTime(time);
}

bool ToDate(TemplateCall* call) { return ReturnParsed(call, call->Text(0), call->Text(1), nullptr); }

bool ToDateInZone(TemplateCall* call) {
  const std::string_view zone = call->Text(1);
  const TimeZone* location =
      zone.empty() || zone == "UTC" || zone == "Local" ? nullptr : TimeZone::Load(zone);
  return ReturnParsed(call, call->Text(0), call->Text(2), location);
}

template <int64_t kUnitsPerSecond>
bool UnixText(TemplateCall* call) {
  return call->ReturnCopy(std::to_string(Scaled(*call->arguments[0].time, kUnitsPerSecond)));
}

// Digits tell the unit: 5 days, 10 seconds, 13 milliseconds, 16 microseconds, 19 nanoseconds.
bool UnixToTime(TemplateCall* call) {
  const std::string_view text = call->Text(0);
  const std::string what = "unable to parse time '" + std::string(text) + "': ";
  const std::string_view digits = text.substr(text.starts_with('-') || text.starts_with('+') ? 1 : 0);
  int64_t count = 0;
  bool overflow = false;
  for (const char c : digits) {
    if (c < '0' || c > '9') {
      count = -1;
      break;
    }
    overflow = overflow || count > (std::numeric_limits<int64_t>::max() - (c - '0')) / 10;
    if (!overflow) count = count * 10 + (c - '0');
  }
  if (digits.empty() || count < 0 || overflow) {
    std::string quoted;
    AppendQuotedGo(text, false, '"', &quoted);
    return call->Fail(what + "strconv.ParseInt: parsing " + quoted + ": " +
                      (overflow && count >= 0 ? "value out of range" : "invalid syntax"));
  }
  if (text.starts_with('-')) count = -count;
  switch (text.size()) {
    case 5: return call->ReturnTime(FromSeconds(count * 86400));
    case 10: return call->ReturnTime(FromSeconds(count));
    case 13: return call->ReturnTime(FromScaled(count, 1'000));
    case 16: return call->ReturnTime(FromScaled(count, 1'000'000));
    case 19: return call->ReturnTime(FromScaled(count, kSecondNs));
    default: return call->Fail(what + "%!w(<nil>)");
  }
}

constexpr TemplateFunction kFunctions[] = {
    {"date", "sa", Date},
    {"now", "", Now},
    {"toDate", "ss", ToDate},
    {"toDateInZone", "sss", ToDateInZone},
    {"unixEpoch", "t", UnixText<1>},
    {"unixEpochMillis", "t", UnixText<1'000>},
    {"unixEpochNanos", "t", UnixText<kSecondNs>},
    {"unixToTime", "s", UnixToTime},
};

// Methods. The receiver is the first argument.

const TimeValue& Receiver(const TemplateCall& call) { return *call.arguments[0].time; }
CivilTime Civil(const TimeValue& time) { return CivilFromSeconds(time.seconds + time.offset_seconds); }
bool ReturnInt(TemplateCall* call, int64_t value) { return call->Return(Value::Int(value)); }
bool ReturnBool(TemplateCall* call, bool value) { return call->Return(Value::Bool(value)); }

template <int64_t kUnitsPerSecond>
bool Unix(TemplateCall* call) {
  return call->Return(Value::Int64(Scaled(Receiver(*call), kUnitsPerSecond)));
}
template <int CivilTime::*kMember>
bool CivilPart(TemplateCall* call) {
  return ReturnInt(call, Civil(Receiver(*call)).*kMember);
}
bool Year(TemplateCall* call) { return ReturnInt(call, Civil(Receiver(*call)).year); }
bool Month(TemplateCall* call) {
  return call->Return(Value::Integer(ValueType::kMonth, Civil(Receiver(*call)).month));
}
bool Weekday(TemplateCall* call) {
  const TimeValue& time = Receiver(*call);
  return call->Return(Value::Integer(ValueType::kWeekday, WeekdayOf(time.seconds + time.offset_seconds)));
}
bool DayOfYear(TemplateCall* call) { return ReturnInt(call, YearDay(Civil(Receiver(*call)))); }
bool Nanosecond(TemplateCall* call) { return ReturnInt(call, Receiver(*call).nanoseconds); }
bool IsZero(TemplateCall* call) {
  return ReturnBool(call, Receiver(*call).seconds == kZeroTimeSeconds && Receiver(*call).nanoseconds == 0);
}

bool InUtc(TemplateCall* call) {
  TimeValue time = Receiver(*call);
  time.location = nullptr;
  SetZone(&time);
  return call->ReturnTime(time);
}

bool FormatTime(TemplateCall* call) {
  std::string out;
  AppendTime(Receiver(*call), call->Text(1), &out);
  return call->ReturnCopy(out);
}
bool TimeText(TemplateCall* call) {
  std::string out;
  AppendTime(Receiver(*call), kTimeStringLayout, &out);
  return call->ReturnCopy(out);
}

int CompareTimes(const TimeValue& a, const TimeValue& b) {
  if (a.seconds != b.seconds) return a.seconds < b.seconds ? -1 : 1;
  return a.nanoseconds == b.nanoseconds ? 0 : a.nanoseconds < b.nanoseconds ? -1 : 1;
}
int Compared(const TemplateCall& call) { return CompareTimes(Receiver(call), *call.arguments[1].time); }
bool Before(TemplateCall* call) { return ReturnBool(call, Compared(*call) < 0); }
bool After(TemplateCall* call) { return ReturnBool(call, Compared(*call) > 0); }
bool EqualTimes(TemplateCall* call) { return ReturnBool(call, Compared(*call) == 0); }
bool Compare(TemplateCall* call) { return ReturnInt(call, Compared(*call)); }

void Move(TimeValue* time, int64_t seconds, int64_t nanoseconds) {
  nanoseconds += time->nanoseconds;
  seconds += nanoseconds / kSecondNs;
  nanoseconds %= kSecondNs;
  if (nanoseconds < 0) {
    nanoseconds += kSecondNs;
    --seconds;
  }
  time->seconds += seconds;
  time->nanoseconds = static_cast<int32_t>(nanoseconds);
  if (time->location != nullptr) SetZone(time);
}

bool AddDuration(TemplateCall* call) {
  TimeValue time = Receiver(*call);
  const int64_t duration_ns = call->Integer(1);
  Move(&time, duration_ns / kSecondNs, duration_ns % kSecondNs);
  return call->ReturnTime(time);
}

// Differences that a duration cannot hold are its largest ones.
bool Subtract(TemplateCall* call) {
  const TimeValue& a = Receiver(*call);
  const TimeValue& b = *call->arguments[1].time;
  const __int128 difference =
      (static_cast<__int128>(a.seconds) - b.seconds) * kSecondNs + (a.nanoseconds - b.nanoseconds);
  constexpr __int128 kMax = std::numeric_limits<int64_t>::max();
  constexpr __int128 kMin = std::numeric_limits<int64_t>::min();
  return call->Return(
      Value::Integer(ValueType::kDuration, static_cast<int64_t>(std::clamp(difference, kMin, kMax))));
}

bool AddDate(TemplateCall* call) {
  TimeValue time = Receiver(*call);
  constexpr int64_t kMax = 1'000'000;
  for (size_t i = 1; i <= 3; ++i) {
    if (std::abs(std::clamp<int64_t>(call->Integer(i), -kMax - 1, kMax + 1)) > kMax) {
      return call->Fail(LimitError("template_date_shift_max", kMax));
    }
  }
  const CivilTime civil = Civil(time);
  const int64_t months = (civil.year + call->Integer(1)) * 12 + civil.month - 1 + call->Integer(2);
  const int64_t year = months >= 0 ? months / 12 : (months - 11) / 12;
  const int64_t days =
      DaysFromCivil(year, static_cast<int>(months - year * 12) + 1, 1) + civil.day - 1 + call->Integer(3);
  time.seconds = days * 86400 + civil.hour * 3600 + civil.minute * 60 + civil.second - time.offset_seconds;
  if (time.location != nullptr) SetZone(&time);
  return call->ReturnTime(time);
}

// Truncate and Round count from Go's zero time.
template <bool kRound>
bool ToMultiple(TemplateCall* call) {
  TimeValue time = Receiver(*call);
  const int64_t unit_ns = call->Integer(1);
  if (unit_ns <= 0) return call->ReturnTime(time);
  const __int128 since =
      (static_cast<__int128>(time.seconds) - kZeroTimeSeconds) * kSecondNs + time.nanoseconds;
  auto rest = static_cast<int64_t>(since % unit_ns);
  if (rest < 0) rest += unit_ns;
  const int64_t up = unit_ns - rest;
  const int64_t move = kRound && rest >= up ? up : -rest;
  Move(&time, move / kSecondNs, move % kSecondNs);
  return call->ReturnTime(time);
}

template <int64_t kUnitNs>
bool DurationIn(TemplateCall* call) {
  const int64_t duration_ns = call->Integer(0);
  return call->Return(
      Value::Float64(static_cast<double>(duration_ns / kUnitNs) +
                     static_cast<double>(duration_ns % kUnitNs) / static_cast<double>(kUnitNs)));
}
template <int64_t kUnitNs>
bool DurationCount(TemplateCall* call) {
  return call->Return(Value::Int64(call->Integer(0) / kUnitNs));
}

// String of a duration, month or weekday.
bool NamedText(TemplateCall* call) {
  std::string out;
  AppendGoValue(call->arguments[0], &out);
  return call->ReturnCopy(out);
}

constexpr TemplateFunction kTimeMethods[] = {
    {"Add", "td", AddDuration},
    {"AddDate", "tiii", AddDate},
    {"After", "tt", After},
    {"Before", "tt", Before},
    {"Compare", "tt", Compare},
    {"Day", "t", CivilPart<&CivilTime::day>},
    {"Equal", "tt", EqualTimes},
    {"Format", "ts", FormatTime},
    {"Hour", "t", CivilPart<&CivilTime::hour>},
    {"IsZero", "t", IsZero},
    {"Local", "t", InUtc},
    {"Minute", "t", CivilPart<&CivilTime::minute>},
    {"Month", "t", Month},
    {"Nanosecond", "t", Nanosecond},
    {"Round", "td", ToMultiple<true>},
    {"Second", "t", CivilPart<&CivilTime::second>},
    {"String", "t", TimeText},
    {"Sub", "tt", Subtract},
    {"Truncate", "td", ToMultiple<false>},
    {"UTC", "t", InUtc},
    {"Unix", "t", Unix<1>},
    {"UnixMicro", "t", Unix<1'000'000>},
    {"UnixMilli", "t", Unix<1'000>},
    {"UnixNano", "t", Unix<kSecondNs>},
    {"Weekday", "t", Weekday},
    {"Year", "t", Year},
    {"YearDay", "t", DayOfYear},
};

constexpr TemplateFunction kDurationMethods[] = {
    {"Hours", "d", DurationIn<3600 * kSecondNs>},
    {"Microseconds", "d", DurationCount<1'000>},
    {"Milliseconds", "d", DurationCount<1'000'000>},
    {"Minutes", "d", DurationIn<60 * kSecondNs>},
    {"Nanoseconds", "d", DurationCount<1>},
    {"Seconds", "d", DurationIn<kSecondNs>},
    {"String", "d", NamedText},
};

constexpr TemplateFunction kNameMethods[] = {{"String", "a", NamedText}};

}  // namespace

std::span<const TemplateFunction> TimeFunctions() { return kFunctions; }

TimeValue TimeFromUnixNs(int64_t unix_ns) { return FromScaled(unix_ns, kSecondNs); }

const TemplateFunction* FindMethod(const TemplateValue& receiver, std::string_view name) {
  std::span<const TemplateFunction> methods;
  if (receiver.type == ValueType::kTime) methods = kTimeMethods;
  if (receiver.type == ValueType::kDuration) methods = kDurationMethods;
  if (receiver.type == ValueType::kMonth || receiver.type == ValueType::kWeekday) methods = kNameMethods;
  if (receiver.named != GoType::kNone) methods = NamedTypeMethods(receiver.named);
  if (methods.empty()) return nullptr;
  const auto found =
      std::find_if(methods.begin(), methods.end(), [&](const auto& method) { return method.name == name; });
  return found == methods.end() ? nullptr : &*found;
}

}  // namespace varve::templates
