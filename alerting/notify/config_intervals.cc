#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <set>

#include "alerting/notify/config_sections.h"
#include "engine/model/labels.h"

namespace varve {
namespace {

constexpr std::string_view kWeekdays[] = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
constexpr std::string_view kMonths[] = {"january", "february", "march",     "april",   "may",      "june",
                                        "july",    "august",   "september", "october", "november", "december"};

std::optional<int32_t> Number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

template <size_t N>
std::optional<int32_t> NameIndex(const std::string_view (&names)[N], std::string_view text) {
  const auto* found = std::find(std::begin(names), std::end(names), text);
  if (found == std::end(names)) return std::nullopt;
  return static_cast<int32_t>(found - std::begin(names));
}

std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

enum class Part { kWeekday, kDayOfMonth, kMonth, kYear };

std::optional<int32_t> Member(Part part, std::string_view text) {
  if (part == Part::kWeekday) return NameIndex(kWeekdays, text);
  if (part == Part::kMonth) {
    if (const auto index = NameIndex(kMonths, text)) return *index + 1;
  }
  return Number(text);
}

// "monday:friday", "-3:-1", "2026": empty, or what is wrong.
std::string ParseRange(Part part, const std::string& text, TimeInterval::Range* out) {
  const std::string lower = Lower(text);
  const size_t colon = lower.find(':');
  if (colon != std::string::npos && lower.find(':', colon + 1) != std::string::npos) {
    return "couldn't parse range " + text + ", invalid format";
  }
  const auto begin = Member(part, std::string_view(lower).substr(0, colon));
  const auto end = colon == std::string::npos ? begin : Member(part, std::string_view(lower).substr(colon + 1));
  constexpr std::string_view kNames[] = {"weekday", "day of the month", "month", "year"};
  if (!begin || !end) return text + " is not a valid " + std::string(kNames[static_cast<size_t>(part)]);
  *out = {*begin, *end};
  if (part == Part::kDayOfMonth) {
    for (const int32_t day : {*begin, *end}) {
      if (day == 0 || day < -31 || day > 31) return std::to_string(day) + " is not a valid day of the month: out of range";
    }
    if (*begin < 0 && *end > 0) return "end day must be negative if start day is negative";
    // The shortest month decides what can never be.
    if ((*begin < 0 ? 28 + *begin : *begin) > (*end < 0 ? 28 + *end : *end)) {
      return "end day " + std::to_string(*end) + " is always before start day " + std::to_string(*begin);
    }
    return "";
  }
  if (*begin > *end) return text + " ends before it starts";
  return "";
}

void ReadRanges(YamlMap* map, std::string_view key, Part part, std::vector<TimeInterval::Range>* out) {
  std::vector<std::string> texts;
  map->Read(key, &texts);
  for (const std::string& text : texts) {
    TimeInterval::Range range;
    const std::string complaint = ParseRange(part, text, &range);
    if (!complaint.empty()) map->FailAt(key, complaint);
    out->push_back(range);
  }
}

// "09:30" in minutes; 24:00 is the day's end.
std::optional<int32_t> MinuteOfDay(std::string_view text) {
  if (text == "24:00") return 24 * 60;
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto digit = [&](size_t at, char max) { return text[at] >= '0' && text[at] <= max; };
  if (!digit(0, '2') || !digit(1, text[0] == '2' ? '3' : '9') || !digit(3, '5') || !digit(4, '9')) return std::nullopt;
  return *Number(text.substr(0, 2)) * 60 + *Number(text.substr(3));
}

void ReadTimes(YamlMap* parent, const YamlNode& node, TimeInterval* out) {
  YamlMap map(parent->file(), node, parent->where() + ": times");
  std::string start, end;
  map.Read("start_time", &start);
  map.Read("end_time", &end);
  map.Finish();
  if (start.empty() || end.empty()) {
    map.Fail("both start and end times must be provided");
    return;
  }
  const auto begin_minute = MinuteOfDay(start), end_minute = MinuteOfDay(end);
  if (!begin_minute || !end_minute) {
    map.Fail("couldn't parse timestamp " + (begin_minute ? end : start) + ", invalid format");
  } else if (*begin_minute >= *end_minute) {
    map.Fail("start time cannot be equal or greater than end time");
  } else {
    out->minutes.push_back({*begin_minute, *end_minute});
  }
}

bool LocationExists(const std::string& name) {
  if (name.empty() || name == "UTC" || name == "Local") return true;
  if (name.front() == '/' || name.find("..") != std::string::npos) return false;
  std::ifstream file("/usr/share/zoneinfo/" + name, std::ios::binary);
  char magic[4] = {};
  return file.read(magic, 4) && std::string_view(magic, 4) == "TZif";
}

TimeInterval ReadInterval(YamlFile* file, const YamlNode& node, const std::string& where) {
  TimeInterval out;
  YamlMap map(file, node, where);
  map.Each("times", [&](const YamlNode& times) { ReadTimes(&map, times, &out); });
  ReadRanges(&map, "weekdays", Part::kWeekday, &out.weekdays);
  ReadRanges(&map, "days_of_month", Part::kDayOfMonth, &out.days_of_month);
  ReadRanges(&map, "months", Part::kMonth, &out.months);
  ReadRanges(&map, "years", Part::kYear, &out.years);
  if (map.Read("location", &out.location) && !LocationExists(out.location)) {
    map.FailAt("location", "unknown time zone " + out.location);
  }
  if (out.location.empty()) out.location = "UTC";
  map.Finish();
  return out;
}

}  // namespace

void ReadTimeIntervals(YamlMap* root, std::vector<NamedTimeInterval>* out) {
  std::set<std::string> names;
  for (const std::string_view key : {"mute_time_intervals", "time_intervals"}) {
    root->Each(key, [&](const YamlNode& node) {
      NamedTimeInterval named;
      YamlMap unnamed(root->file(), node, std::string(key));
      unnamed.Read("name", &named.name);
      const std::string where = std::string(key) + " " + GoQuoted(named.name);
      if (named.name.empty()) unnamed.Fail("missing name in time interval");
      if (!names.insert(named.name).second) unnamed.Fail("time interval " + GoQuoted(named.name) + " is not unique");
      unnamed.Each("time_intervals", [&](const YamlNode& interval) {
        named.intervals.push_back(ReadInterval(root->file(), interval, where));
      });
      unnamed.Finish();
      out->push_back(std::move(named));
    });
  }
}

}  // namespace varve
