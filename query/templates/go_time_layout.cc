#include "query/templates/go_time_layout.h"

#include <cstdlib>

#include "query/templates/time_zone.h"

namespace varve::templates {
namespace {

using E = TimeElement;

struct Spelling {
  std::string_view text;
  E element;
};

// Longer spellings before their own beginnings.
constexpr Spelling kSpellings[] = {
    {"January", E::kLongMonth},
    {"Monday", E::kLongWeekday},
    {"MST", E::kZoneName},
    {"002", E::kZeroYearDay},
    {"01", E::kZeroMonth},
    {"02", E::kZeroDay},
    {"03", E::kZeroHour12},
    {"04", E::kZeroMinute},
    {"05", E::kZeroSecond},
    {"06", E::kYear},
    {"15", E::kHour},
    {"1", E::kNumMonth},
    {"2006", E::kLongYear},
    {"2", E::kDay},
    {"__2", E::kUnderYearDay},
    {"_2", E::kUnderDay},
    {"3", E::kHour12},
    {"4", E::kMinute},
    {"5", E::kSecond},
    {"PM", E::kUpperPm},
    {"pm", E::kLowerPm},
    {"-070000", E::kNumSecondsZone},
    {"-07:00:00", E::kNumColonSecondsZone},
    {"-0700", E::kNumZone},
    {"-07:00", E::kNumColonZone},
    {"-07", E::kNumShortZone},
    {"Z070000", E::kIsoSecondsZone},
    {"Z07:00:00", E::kIsoColonSecondsZone},
    {"Z0700", E::kIsoZone},
    {"Z07:00", E::kIsoColonZone},
    {"Z07", E::kIsoShortZone},
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The element at the start of `text`, and its length.
E ElementAt(std::string_view text, size_t* size) {
  // "Jan" and "Mon" must not be the beginning of a word.
  if (text.size() >= 3 && (text.starts_with("Jan") || text.starts_with("Mon"))) {
    const bool month = text[0] == 'J';
    if (text.starts_with(month ? "January" : "Monday")) {
      *size = month ? 7 : 6;
      return month ? E::kLongMonth : E::kLongWeekday;
    }
    if (text.size() > 3 && text[3] >= 'a' && text[3] <= 'z') return E::kNone;
    *size = 3;
    return month ? E::kMonth : E::kWeekday;
  }
  for (const Spelling& spelling : kSpellings) {
    if (!text.starts_with(spelling.text)) continue;
    *size = spelling.text.size();
    return spelling.element;
  }
  return E::kNone;
}

// .000 or .999, also with a comma.
bool FractionAt(std::string_view text, LayoutPiece* piece) {
  if ((text[0] != '.' && text[0] != ',') || text.size() < 2 || (text[1] != '0' && text[1] != '9'))
    return false;
  size_t end = 1;
  while (end < text.size() && text[end] == text[1]) ++end;
  if (end < text.size() && IsDigit(text[end])) return false;
  piece->element = text[1] == '0' ? E::kFraction0 : E::kFraction9;
  piece->digits = static_cast<int>(end) - 1;
  piece->separator = text[0];
  piece->rest = text.substr(end);
  return true;
}

void AppendNumber(int64_t value, int width, char pad, std::string* out) {
  if (value < 0) {
    out->push_back('-');
    value = -value;
  }
  const std::string digits = std::to_string(value);
  if (digits.size() < static_cast<size_t>(width))
    out->append(static_cast<size_t>(width) - digits.size(), pad);
  *out += digits;
}

void AppendZone(int32_t offset_seconds, E element, std::string* out) {
  const bool iso = element >= E::kIsoZone && element <= E::kIsoColonSecondsZone;
  if (iso && offset_seconds == 0) {
    out->push_back('Z');
    return;
  }
  out->push_back(offset_seconds < 0 ? '-' : '+');
  const int seconds = std::abs(offset_seconds);
  const bool colon = element == E::kIsoColonZone || element == E::kNumColonZone ||
                     element == E::kIsoColonSecondsZone || element == E::kNumColonSecondsZone;
  AppendNumber(seconds / 3600, 2, '0', out);
  if (element == E::kIsoShortZone || element == E::kNumShortZone) return;
  if (colon) out->push_back(':');
  AppendNumber(seconds / 60 % 60, 2, '0', out);
  if (element == E::kIsoSecondsZone || element == E::kNumSecondsZone || element == E::kIsoColonSecondsZone ||
      element == E::kNumColonSecondsZone) {
    if (colon) out->push_back(':');
    AppendNumber(seconds % 60, 2, '0', out);
  }
}

void AppendFraction(const TimeValue& time, const LayoutPiece& piece, std::string* out) {
  std::string digits = std::to_string(time.nanoseconds);
  digits.insert(0, 9 - digits.size(), '0');
  digits.resize(static_cast<size_t>(piece.digits), '0');
  if (piece.element == E::kFraction9) {
    while (!digits.empty() && digits.back() == '0') digits.pop_back();
    if (digits.empty()) return;
  }
  out->push_back(piece.separator);
  *out += digits;
}

void AppendElement(const TimeValue& time, const CivilTime& civil, const LayoutPiece& piece,
                   std::string* out) {
  const int hour12 = civil.hour % 12 == 0 ? 12 : civil.hour % 12;
  const int weekday = WeekdayOf(time.seconds + time.offset_seconds);
  switch (piece.element) {
    case E::kNone: break;
    case E::kLongMonth: *out += MonthName(civil.month); break;
    case E::kMonth: *out += MonthName(civil.month).substr(0, 3); break;
    case E::kNumMonth: AppendNumber(civil.month, 0, '0', out); break;
    case E::kZeroMonth: AppendNumber(civil.month, 2, '0', out); break;
    case E::kLongWeekday: *out += WeekdayName(weekday); break;
    case E::kWeekday: *out += WeekdayName(weekday).substr(0, 3); break;
    case E::kDay: AppendNumber(civil.day, 0, '0', out); break;
    case E::kUnderDay: AppendNumber(civil.day, 2, ' ', out); break;
    case E::kZeroDay: AppendNumber(civil.day, 2, '0', out); break;
    case E::kUnderYearDay: AppendNumber(YearDay(civil), 3, ' ', out); break;
    case E::kZeroYearDay: AppendNumber(YearDay(civil), 3, '0', out); break;
    case E::kHour: AppendNumber(civil.hour, 2, '0', out); break;
    case E::kHour12: AppendNumber(hour12, 0, '0', out); break;
    case E::kZeroHour12: AppendNumber(hour12, 2, '0', out); break;
    case E::kMinute: AppendNumber(civil.minute, 0, '0', out); break;
    case E::kZeroMinute: AppendNumber(civil.minute, 2, '0', out); break;
    case E::kSecond: AppendNumber(civil.second, 0, '0', out); break;
    case E::kZeroSecond: AppendNumber(civil.second, 2, '0', out); break;
    case E::kLongYear: AppendNumber(civil.year, 4, '0', out); break;
    case E::kYear: AppendNumber(civil.year < 0 ? 0 : civil.year % 100, 2, '0', out); break;
    case E::kUpperPm: *out += civil.hour >= 12 ? "PM" : "AM"; break;
    case E::kLowerPm: *out += civil.hour >= 12 ? "pm" : "am"; break;
    case E::kZoneName:
      if (time.zone.empty()) {
        AppendZone(time.offset_seconds, E::kNumZone, out);
      } else {
        *out += time.zone;
      }
      break;
    case E::kFraction0:
    case E::kFraction9: AppendFraction(time, piece, out); break;
    default: AppendZone(time.offset_seconds, piece.element, out); break;
  }
}

}  // namespace

LayoutPiece NextLayoutPiece(std::string_view layout) {
  LayoutPiece piece;
  for (size_t i = 0; i < layout.size(); ++i) {
    const std::string_view here = layout.substr(i);
    piece.literal = layout.substr(0, i);
    if (FractionAt(here, &piece)) return piece;
    if (here.starts_with("_2006")) continue;  // an underscore, then the year
    size_t size = 0;
    piece.element = ElementAt(here, &size);
    if (piece.element == E::kNone) continue;
    piece.rest = here.substr(size);
    return piece;
  }
  piece.literal = layout;
  piece.rest = {};
  return piece;
}

int64_t DaysFromCivil(int64_t year, int month, int day) {
  // Years that start in March put the leap day at the end.
  const int64_t y = year - (month <= 2 ? 1 : 0);
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const int64_t year_of_era = y - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

CivilTime CivilFromSeconds(int64_t seconds) {
  const int64_t days = seconds / 86400 - (seconds % 86400 < 0 ? 1 : 0);
  const auto rest = static_cast<int>(seconds - days * 86400);
  const int64_t shifted = days + 719468;
  const int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const int64_t day_of_era = shifted - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted_month = (5 * day_of_year + 2) / 153;
  CivilTime civil;
  civil.day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  civil.month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  civil.year = year_of_era + era * 400 + (civil.month <= 2 ? 1 : 0);
  civil.hour = rest / 3600;
  civil.minute = rest / 60 % 60;
  civil.second = rest % 60;
  return civil;
}

int64_t SecondsFromCivil(const CivilTime& civil) {
  return DaysFromCivil(civil.year, civil.month, civil.day) * 86400 + civil.hour * 3600 + civil.minute * 60 +
         civil.second;
}

int YearDay(const CivilTime& civil) {
  return static_cast<int>(DaysFromCivil(civil.year, civil.month, civil.day) -
                          DaysFromCivil(civil.year, 1, 1)) +
         1;
}

int WeekdayOf(int64_t seconds) {
  const int64_t days = seconds / 86400 - (seconds % 86400 < 0 ? 1 : 0);
  return static_cast<int>(((days + 4) % 7 + 7) % 7);
}

int DaysIn(int month, int64_t year) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

void AppendTime(const TimeValue& time, std::string_view layout, std::string* out) {
  const CivilTime civil = CivilFromSeconds(time.seconds + time.offset_seconds);
  while (!layout.empty()) {
    const LayoutPiece piece = NextLayoutPiece(layout);
    *out += piece.literal;
    AppendElement(time, civil, piece, out);
    layout = piece.rest;
  }
}

void SetZone(TimeValue* time) {
  if (time->location == nullptr) {
    time->offset_seconds = 0;
    time->zone = "UTC";
    return;
  }
  const TimeZone::Period period = time->location->At(time->seconds);
  time->offset_seconds = period.offset_seconds;
  time->zone = period.name;
}

std::string DurationText(int64_t duration_ns) {
  if (duration_ns == 0) return "0s";
  const bool negative = duration_ns < 0;
  uint64_t rest = negative ? 0 - static_cast<uint64_t>(duration_ns) : static_cast<uint64_t>(duration_ns);
  // A count of `unit` nanoseconds with its fraction, zeros at the end cut.
  const auto with_fraction = [](uint64_t value, uint64_t unit) {
    std::string text = std::to_string(value / unit);
    std::string fraction = std::to_string(unit + value % unit).substr(1);
    while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
    return fraction.empty() ? text : text + "." + fraction;
  };
  std::string text = negative ? "-" : "";
  if (rest < 1'000) return text + std::to_string(rest) + "ns";
  if (rest < 1'000'000) return text + with_fraction(rest, 1'000) + "\xC2\xB5s";
  if (rest < 1'000'000'000) return text + with_fraction(rest, 1'000'000) + "ms";
  const uint64_t minutes = rest / 60'000'000'000;
  rest %= 60'000'000'000;
  if (minutes >= 60) text += std::to_string(minutes / 60) + "h";
  if (minutes > 0) text += std::to_string(minutes % 60) + "m";
  return text + with_fraction(rest, 1'000'000'000) + "s";
}

}  // namespace varve::templates
