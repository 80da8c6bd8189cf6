// Parsing by layout, as Go's time.ParseInLocation: layout and text are walked in step.

#include <algorithm>

#include "query/templates/go_time_layout.h"
#include "query/templates/time_zone.h"

namespace varve::templates {
namespace {

using E = TimeElement;

bool IsDigitAt(std::string_view text, size_t i) {
  return i < text.size() && text[i] >= '0' && text[i] <= '9';
}
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string_view WithoutSpaces(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

class TimeParser {
 public:
  TimeParser(std::string_view layout, std::string_view text) : layout_(layout), text_(text) {}

  bool Run() {
    while (true) {
      const LayoutPiece piece = NextLayoutPiece(layout_);
      if (!Skip(piece.literal)) return false;
      if (piece.element == E::kNone) return text_.empty() && Complete();
      layout_ = piece.rest;
      if (!Element(piece)) return false;
    }
  }

  CivilTime civil;
  int32_t nanoseconds = 0;
  bool utc = false;
  bool has_offset = false;
  int32_t offset_seconds = 0;
  std::string_view zone_name;

 private:
  // A space stands for any number of them.
  bool Skip(std::string_view literal) {
    while (!literal.empty()) {
      if (literal[0] == ' ') {
        if (!text_.empty() && text_[0] != ' ') return false;
        literal = WithoutSpaces(literal);
        text_ = WithoutSpaces(text_);
        continue;
      }
      if (text_.empty() || text_[0] != literal[0]) return false;
      literal.remove_prefix(1);
      text_.remove_prefix(1);
    }
    return true;
  }

  bool Element(const LayoutPiece& piece) {
    switch (piece.element) {
      case E::kYear:
        if (!FixedDigits(2, &year_)) return false;
        year_ += year_ >= 69 ? 1900 : 2000;
        return true;
      case E::kLongYear: return FixedDigits(4, &year_);
      case E::kMonth: return Name(1, 12, 3, MonthName, &month_);
      case E::kLongMonth: return Name(1, 12, 0, MonthName, &month_);
      case E::kWeekday: return Name(0, 6, 3, WeekdayName, &ignored_);
      case E::kLongWeekday: return Name(0, 6, 0, WeekdayName, &ignored_);
      case E::kNumMonth:
      case E::kZeroMonth:
        return Number(piece.element == E::kZeroMonth, &month_) && month_ >= 1 && month_ <= 12;
      case E::kDay:
      case E::kUnderDay:
      case E::kZeroDay:
        if (piece.element == E::kUnderDay && text_.starts_with(' ')) text_.remove_prefix(1);
        return Number(piece.element == E::kZeroDay, &day_);
      case E::kUnderYearDay:
      case E::kZeroYearDay: return DayOfYear(piece.element == E::kZeroYearDay);
      case E::kHour: return Number(false, &civil.hour) && civil.hour < 24;
      case E::kHour12:
      case E::kZeroHour12: return Number(piece.element == E::kZeroHour12, &civil.hour) && civil.hour <= 12;
      case E::kMinute:
      case E::kZeroMinute: return Number(piece.element == E::kZeroMinute, &civil.minute) && civil.minute < 60;
      case E::kSecond:
      case E::kZeroSecond: return Second(piece.element == E::kZeroSecond);
      case E::kUpperPm: return HalfDay("AM", "PM");
      case E::kLowerPm: return HalfDay("am", "pm");
      case E::kZoneName: return ZoneName();
      case E::kFraction0: {
        const auto size = static_cast<size_t>(piece.digits) + 1;
        return text_.size() >= size && Fraction(size);
      }
      case E::kFraction9: {
        if (text_.size() < 2 || (text_[0] != '.' && text_[0] != ',') || !IsDigitAt(text_, 1)) return true;
        size_t size = 1;
        while (IsDigitAt(text_, size)) ++size;
        return Fraction(size);
      }
      default: return Offset(piece.element);
    }
  }

  bool FixedDigits(size_t count, int* value) {
    *value = 0;
    for (size_t i = 0; i < count; ++i) {
      if (!IsDigitAt(text_, i)) return false;
      *value = *value * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(count);
    return true;
  }

  // One or two digits; with `fixed` two.
  bool Number(bool fixed, int* value) {
    if (!IsDigitAt(text_, 0)) return false;
    const bool two = IsDigitAt(text_, 1);
    return (two || !fixed) && FixedDigits(two ? 2 : 1, value);
  }

  // A name, or its first `size` letters, in any case.
  bool Name(int first, int last, size_t size, std::string_view (*name_of)(int64_t), int* value) {
    for (int i = first; i <= last; ++i) {
      std::string_view name = name_of(i);
      if (size != 0) name = name.substr(0, size);
      if (text_.size() < name.size() || !std::equal(name.begin(), name.end(), text_.begin(),
                                                    [](char a, char b) { return Lower(a) == Lower(b); })) {
        continue;
      }
      text_.remove_prefix(name.size());
      *value = i;
      return true;
    }
    return false;
  }

  bool DayOfYear(bool zeros) {
    for (int i = 0; i < 2 && !zeros && text_.starts_with(' '); ++i) text_.remove_prefix(1);
    size_t digits = 0;
    while (digits < 3 && IsDigitAt(text_, digits)) ++digits;
    return digits > 0 && (!zeros || digits == 3) && FixedDigits(digits, &year_day_);
  }

  bool Second(bool fixed) {
    if (!Number(fixed, &civil.second) || civil.second >= 60) return false;
    // A fraction may follow though the layout has none.
    if (text_.size() < 2 || (text_[0] != '.' && text_[0] != ',') || !IsDigitAt(text_, 1)) return true;
    const E next = NextLayoutPiece(layout_).element;
    if (next == E::kFraction0 || next == E::kFraction9) return true;
    size_t size = 2;
    while (IsDigitAt(text_, size)) ++size;
    return Fraction(size);
  }

  // The separator and size - 1 digits; those behind the ninth are cut.
  bool Fraction(size_t size) {
    if (text_[0] != '.' && text_[0] != ',') return false;
    int32_t value = 0;
    for (size_t i = 1; i <= std::max<size_t>(size - 1, 9); ++i) {
      if (i < size && !IsDigitAt(text_, i)) return false;
      if (i <= 9) value = value * 10 + (i < size ? text_[i] - '0' : 0);
    }
    nanoseconds = value;
    text_.remove_prefix(size);
    return true;
  }

  bool HalfDay(std::string_view morning, std::string_view afternoon) {
    half_day_ = text_.starts_with(afternoon) ? 'p' : text_.starts_with(morning) ? 'a' : 0;
    if (half_day_ == 0) return false;
    text_.remove_prefix(2);
    return true;
  }

  bool Offset(E element) {
    const bool iso = element >= E::kIsoZone && element <= E::kIsoColonSecondsZone;
    if (iso && text_.starts_with('Z')) {
      text_.remove_prefix(1);
      utc = true;
      return true;
    }
    const auto shape = static_cast<int>(element) - static_cast<int>(iso ? E::kIsoZone : E::kNumZone);
    const bool seconds = shape == 1 || shape == 4;
    const bool minutes = shape != 2;
    const bool colon = shape >= 3;
    if (text_.empty() || (text_[0] != '+' && text_[0] != '-')) return false;
    const bool west = text_[0] == '-';
    text_.remove_prefix(1);
    int parts[3] = {0, 0, 0};
    for (int i = 0; i < 1 + (minutes ? 1 : 0) + (seconds ? 1 : 0); ++i) {
      if (i > 0 && colon) {
        if (!text_.starts_with(':')) return false;
        text_.remove_prefix(1);
      }
      if (!FixedDigits(2, &parts[i])) return false;
    }
    if (parts[0] > 24 || parts[1] > 60 || parts[2] > 60) return false;
    offset_seconds = (parts[0] * 60 + parts[1]) * 60 + parts[2];
    if (west) offset_seconds = -offset_seconds;
    has_offset = true;
    return true;
  }

  // "+3", "-11": its length, 0 when it is none.
  static size_t SignedOffsetLength(std::string_view text) {
    if (text.empty() || (text[0] != '+' && text[0] != '-')) return 0;
    size_t size = 1;
    int value = 0;
    for (; IsDigitAt(text, size) && size < 6; ++size) value = value * 10 + (text[size] - '0');
    return size == 1 || value > 23 ? 0 : size;
  }

  static size_t ZoneNameLength(std::string_view text) {
    if (text.size() < 3) return 0;
    if (text.starts_with("ChST") || text.starts_with("MeST")) return 4;
    if (text.starts_with("GMT")) return 3 + SignedOffsetLength(text.substr(3));
    if (text[0] == '+' || text[0] == '-') return SignedOffsetLength(text);
    size_t upper = 0;
    while (upper < 6 && upper < text.size() && text[upper] >= 'A' && text[upper] <= 'Z') ++upper;
    switch (upper) {
      case 5: return text[4] == 'T' ? 5 : 0;
      case 4: return text[3] == 'T' || text.starts_with("WITA") ? 4 : 0;
      case 3: return 3;
      default: return 0;
    }
  }

  bool ZoneName() {
    if (text_.starts_with("UTC")) {
      text_.remove_prefix(3);
      utc = true;
      return true;
    }
    const size_t size = ZoneNameLength(text_);
    zone_name = text_.substr(0, size);
    text_.remove_prefix(size);
    return size != 0;
  }

  bool Complete() {
    if (half_day_ == 'p' && civil.hour < 12) civil.hour += 12;
    if (half_day_ == 'a' && civil.hour == 12) civil.hour = 0;
    civil.year = year_;
    if (year_day_ >= 0) {
      if (year_day_ < 1 || year_day_ > 337 + DaysIn(2, year_)) return false;
      const CivilTime date = CivilFromSeconds((DaysFromCivil(year_, 1, 1) + year_day_ - 1) * 86400);
      if ((month_ >= 0 && month_ != date.month) || (day_ >= 0 && day_ != date.day)) return false;
      month_ = date.month;
      day_ = date.day;
    }
    civil.month = month_ < 0 ? 1 : month_;
    civil.day = day_ < 0 ? 1 : day_;
    return civil.day >= 1 && civil.day <= DaysIn(civil.month, civil.year);
  }

  std::string_view layout_;
  std::string_view text_;
  int year_ = 0;
  int month_ = -1, day_ = -1, year_day_ = -1;
  int ignored_ = 0;
  char half_day_ = 0;  // 'a' or 'p'
};

// A local time that the clock skipped or showed twice gets the offset from before or after, as in Go.
void ApplyLocation(const TimeZone* location, TimeValue* time) {
  time->location = location;
  if (location != nullptr) {
    const TimeZone::Period period = location->At(time->seconds);
    int32_t offset_seconds = period.offset_seconds;
    const int64_t utc = time->seconds - offset_seconds;
    if (utc < period.begin || utc >= period.end) offset_seconds = location->At(utc).offset_seconds;
    time->seconds -= offset_seconds;
  }
  SetZone(time);
}

}  // namespace

bool ParseTime(std::string_view layout, std::string_view text, const TimeZone* location, TimeValue* time) {
  TimeParser parser(layout, text);
  if (!parser.Run()) return false;
  *time = TimeValue();
  time->seconds = SecondsFromCivil(parser.civil);
  time->nanoseconds = parser.nanoseconds;
  if (parser.utc) return true;
  if (parser.has_offset) {
    time->seconds -= parser.offset_seconds;
    TimeValue local = *time;
    local.location = location;
    SetZone(&local);
    if (local.offset_seconds == parser.offset_seconds &&
        (parser.zone_name.empty() || parser.zone_name == local.zone)) {
      *time = local;
      return true;
    }
    time->offset_seconds = parser.offset_seconds;
    time->zone = parser.zone_name;
    return true;
  }
  if (parser.zone_name.empty()) {
    ApplyLocation(location, time);
    return true;
  }
  int32_t offset_seconds = 0;
  if (location != nullptr && location->FindName(parser.zone_name, time->seconds, &offset_seconds)) {
    time->seconds -= offset_seconds;
    time->location = location;
    SetZone(time);
    return true;
  }
  // A name of unknown offset; GMT+3 tells it.
  if (parser.zone_name.size() > 3 && parser.zone_name.starts_with("GMT")) {
    int hours = 0;
    for (const char c : parser.zone_name.substr(4)) hours = hours * 10 + (c - '0');
    offset_seconds = hours * (parser.zone_name[3] == '-' ? -3600 : 3600);
  }
  time->seconds -= offset_seconds;
  time->offset_seconds = offset_seconds;
  time->zone = parser.zone_name;
  return true;
}

}  // namespace varve::templates
