#include "engine/base/rfc3339.h"

#include <array>

namespace varve {
namespace {

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

}  // namespace

std::optional<UnixTime> ParseRfc3339(std::string_view text) {
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
  return UnixTime{seconds, static_cast<int32_t>(fraction_ns)};
}

}  // namespace varve
