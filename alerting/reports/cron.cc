#include "alerting/reports/cron.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <vector>

namespace varve {
namespace {

constexpr int64_t kSecondsPerDay = 86400;
constexpr size_t kTextBytesMax = 1000;

constexpr std::string_view kMonthNames[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                            "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view kWeekdayNames[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
  std::string_view name;
  int first, last;
  std::span<const std::string_view> names;  // of the values from `first` on
};
constexpr std::array<Field, 5> kFields = {{{"minute", 0, 59, {}},
                                           {"hour", 0, 23, {}},
                                           {"day of the month", 1, 31, {}},
                                           {"month", 1, 12, kMonthNames},
                                           {"day of the week", 0, 7, kWeekdayNames}}};

struct Macro {
  std::string_view name, fields;
};
constexpr Macro kMacros[] = {{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"},
                             {"@weekly", "0 0 * * 0"},  {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
                             {"@annually", "0 0 1 1 *"}};

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
  });
}

std::vector<std::string_view> Split(std::string_view text, std::string_view separators, bool keep_empty) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = std::min(text.find_first_of(separators), text.size());
    if (end > 0 || keep_empty) parts.push_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<int> ParseNumber(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<int> ParseValue(std::string_view text, const Field& field) {
  for (size_t i = 0; i < field.names.size(); ++i) {
    if (EqualsIgnoringCase(text, field.names[i])) return field.first + static_cast<int>(i);
  }
  const std::optional<int> value = ParseNumber(text);
  return value.has_value() && *value >= field.first && *value <= field.last ? value : std::nullopt;
}

// The values of one field, as bits.
Result<uint64_t> ParseField(std::string_view text, const Field& field) {
  const auto wrong = [&](std::string_view part) {
    return InvalidArgument(fmt::format("{} \"{}\": \"{}\" is not one of {} to {}", field.name, text, part, field.first,
                                       field.last));
  };
  uint64_t bits = 0;
  for (const std::string_view item : Split(text, ",", true)) {
    const size_t slash = item.find('/');
    const std::string_view range = item.substr(0, slash);
    int step = 1;
    if (slash != std::string_view::npos) {
      const std::optional<int> given = ParseNumber(item.substr(slash + 1));
      if (!given.has_value() || *given == 0) {
        return InvalidArgument(fmt::format("{} \"{}\": \"{}\" is not a step", field.name, text, item.substr(slash + 1)));
      }
      step = *given;
    }
    int first = field.first;
    int last = field.last;
    if (range != "*") {
      const size_t dash = range.find('-');
      const std::optional<int> begin = ParseValue(range.substr(0, dash), field);
      if (!begin.has_value()) return wrong(range.substr(0, dash));
      first = *begin;
      if (dash != std::string_view::npos) {
        const std::optional<int> end = ParseValue(range.substr(dash + 1), field);
        if (!end.has_value()) return wrong(range.substr(dash + 1));
        // Ranges of names may end on Sunday: fri-sun.
        last = *end == 0 && field.last == 7 && first > 0 ? 7 : *end;
        if (last < first) {
          return InvalidArgument(fmt::format("{} \"{}\": the range {} ends before it begins", field.name, text, range));
        }
      } else if (slash == std::string_view::npos) {
        last = first;
      }
    }
    for (int value = first; value <= last; value += step) bits |= uint64_t{1} << value;
  }
  return bits;
}

}  // namespace

CronSchedule::CronSchedule() : text_("* * * * *"), any_day_(true), any_weekday_(true) {
  minutes_.set();
  hours_.set();
  days_.set();
  months_.set();
  weekdays_.set();
}

Result<CronSchedule> CronSchedule::Parse(std::string_view text) {
  const auto failed = [&](std::string_view why) {
    return InvalidArgument(fmt::format("schedule \"{}\": {}", text.substr(0, 100), why));
  };
  if (text.size() > kTextBytesMax) return failed("too long");
  std::string_view fields_text = text;
  if (text.starts_with('@')) {
    const Macro* known = std::find_if(std::begin(kMacros), std::end(kMacros),
                                      [&](const Macro& macro) { return EqualsIgnoringCase(text, macro.name); });
    if (known == std::end(kMacros)) {
      return failed("not one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually");
    }
    fields_text = known->fields;
  }
  const std::vector<std::string_view> fields = Split(fields_text, " \t", false);
  if (fields.size() != kFields.size()) {
    return failed(fmt::format("has {} fields and not five: minute, hour, day of the month, month, day of the week",
                              fields.size()));
  }
  std::array<uint64_t, 5> bits = {};
  for (size_t i = 0; i < kFields.size(); ++i) {
    Result<uint64_t> parsed = ParseField(fields[i], kFields[i]);
    if (!parsed.ok()) return failed(parsed.status().message());
    bits[i] = *parsed;
  }
  CronSchedule schedule;
  schedule.text_ = text;
  schedule.minutes_ = bits[0];
  schedule.hours_ = bits[1];
  schedule.days_ = bits[2];
  schedule.months_ = bits[3];
  schedule.weekdays_ = (bits[4] | bits[4] >> 7) & 0x7F;
  schedule.any_day_ = fields[2].starts_with('*');
  schedule.any_weekday_ = fields[4].starts_with('*');
  VARVE_RETURN_IF_ERROR(schedule.CheckThatItComes());
  return schedule;
}

// Weekdays alone always come, also together with 29 February (within 40 years): only a day that none of the months
// has never does.
Status CronSchedule::CheckThatItComes() const {
  if (!any_day_ && !any_weekday_) return Status::Ok();
  for (int month = 1; month <= 12; ++month) {
    if (!months_[static_cast<size_t>(month)]) continue;
    for (int day = 1; day <= DaysInMonth(2024, month); ++day) {
      if (days_[static_cast<size_t>(day)]) return Status::Ok();
    }
  }
  return InvalidArgument(fmt::format("schedule \"{}\" never comes: none of its months has such a day", text_));
}

bool CronSchedule::HasDay(int64_t days) const {
  const CivilDate date = DateOfDays(days);
  if (!months_[static_cast<size_t>(date.month)]) return false;
  const bool by_date = days_[static_cast<size_t>(date.day)];
  const bool by_weekday = weekdays_[static_cast<size_t>(WeekdayOfDays(days))];
  return any_day_ || any_weekday_ ? by_date && by_weekday : by_date || by_weekday;
}

int64_t CronSchedule::Next(int64_t utc_s, const LocalCalendar& calendar) const {
  // Later local minutes never come earlier (LocalCalendar::UtcOf), and no minute up to the one the clock shows can be
  // due after it. Ends: CheckThatItComes.
  const int64_t shown = calendar.LocalOf(utc_s);
  int64_t days = shown / kSecondsPerDay - (shown % kSecondsPerDay < 0 ? 1 : 0);
  int64_t first_minute = (shown - days * kSecondsPerDay) / 60;
  for (;; ++days, first_minute = 0) {
    if (!HasDay(days)) continue;
    for (int64_t minute = first_minute; minute < 24 * 60; ++minute) {
      if (!hours_[static_cast<size_t>(minute / 60)] || !minutes_[static_cast<size_t>(minute % 60)]) continue;
      const int64_t due = calendar.UtcOf(days * kSecondsPerDay + minute * 60);
      if (due > utc_s) return due;
    }
  }
}

}  // namespace varve
