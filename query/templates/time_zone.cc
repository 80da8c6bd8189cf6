// TZif, version 2 or later (RFC 8536): a header and data with 32-bit times, which are skipped, the same with
// 64-bit times, and a line that tells the rule for the time after the last transition:
// "EST5EDT,M3.2.0,M11.1.0".

#include "query/templates/time_zone.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <mutex>

#include "query/templates/go_time_layout.h"

namespace varve::templates {
namespace {

// Reads big-endian numbers; all zero once the bytes are used up.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  std::string_view Take(size_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  uint64_t Number(size_t size) {
    uint64_t value = 0;
    for (const char c : Take(size)) value = value << 8 | static_cast<uint8_t>(c);
    return value;
  }
  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

struct Header {
  char version = 0;
  uint64_t utc_flags = 0, standard_flags = 0, leaps = 0, transitions = 0, types = 0, name_bytes = 0;
};

bool ReadHeader(Reader* reader, Header* header) {
  if (reader->Take(4) != "TZif") return false;
  header->version = static_cast<char>(reader->Number(1));
  reader->Take(15);
  header->utc_flags = reader->Number(4);
  header->standard_flags = reader->Number(4);
  header->leaps = reader->Number(4);
  header->transitions = reader->Number(4);
  header->types = reader->Number(4);
  header->name_bytes = reader->Number(4);
  return reader->ok();
}

bool ReadNumber(std::string_view* text, int* value) {
  size_t digits = 0;
  *value = 0;
  for (; digits < text->size() && digits < 5 && (*text)[digits] >= '0' && (*text)[digits] <= '9'; ++digits) {
    *value = *value * 10 + ((*text)[digits] - '0');
  }
  text->remove_prefix(digits);
  return digits > 0;
}

bool ReadCharacter(std::string_view* text, char c) {
  if (!text->starts_with(c)) return false;
  text->remove_prefix(1);
  return true;
}

// [+-]hh[:mm[:ss]]
bool ReadTime(std::string_view* text, int64_t* seconds) {
  const bool negative = ReadCharacter(text, '-');
  if (!negative) ReadCharacter(text, '+');
  int hours = 0;
  int minutes = 0;
  int rest = 0;
  if (!ReadNumber(text, &hours)) return false;
  if (ReadCharacter(text, ':') && !ReadNumber(text, &minutes)) return false;
  if (ReadCharacter(text, ':') && !ReadNumber(text, &rest)) return false;
  *seconds = hours * 3600LL + minutes * 60 + rest;
  if (negative) *seconds = -*seconds;
  return true;
}

// EST or <+03>
bool ReadName(std::string_view* text, std::string* name) {
  size_t size = 0;
  if (ReadCharacter(text, '<')) {
    size = text->find('>');
    if (size == std::string_view::npos) return false;
    *name = text->substr(0, size);
    text->remove_prefix(size + 1);
    return true;
  }
  while (size < text->size() && (((*text)[size] | 0x20) >= 'a') && (((*text)[size] | 0x20) <= 'z')) ++size;
  *name = text->substr(0, size);
  text->remove_prefix(size);
  return size >= 3;
}

bool IsSafeName(std::string_view name) {
  if (name.empty() || name.size() > 100 || name[0] == '/' || name[0] == '\\') return false;
  if (name.find("..") != std::string_view::npos) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/_+-").find(c) != std::string_view::npos;
  });
}

}  // namespace

const TimeZone* TimeZone::Load(std::string_view name) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<const TimeZone>, std::less<>> zones;  // null: not there
  if (!IsSafeName(name)) return nullptr;
  const std::lock_guard<std::mutex> lock(mutex);
  if (const auto known = zones.find(name); known != zones.end()) return known->second.get();
  if (zones.size() >= kZonesMax) {
    // Names that are no zones must not keep real ones out.
    std::erase_if(zones, [](const auto& zone) { return zone.second == nullptr; });
    if (zones.size() >= kZonesMax) return nullptr;
  }
  std::string bytes;
  std::ifstream file("/usr/share/zoneinfo/" + std::string(name), std::ios::binary);
  if (file) {
    bytes.resize(kFileBytesMax);
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  }
  return zones.emplace(name, Parse(bytes)).first->second.get();
}

std::unique_ptr<const TimeZone> TimeZone::Parse(std::string_view bytes) {
  Reader reader(bytes);
  Header header;
  if (!ReadHeader(&reader, &header) || header.version < '2') return nullptr;
  const uint64_t skipped = header.transitions * 5 + header.types * 6 + header.name_bytes + header.leaps * 8 +
                           header.standard_flags + header.utc_flags;
  reader.Take(skipped);
  if (!reader.ok() || !ReadHeader(&reader, &header)) return nullptr;
  if (header.types == 0 || header.types > 256 || header.transitions > reader.rest().size()) return nullptr;
  auto zone = std::make_unique<TimeZone>();
  for (uint64_t i = 0; i < header.transitions; ++i) {
    zone->transitions_.push_back(static_cast<int64_t>(reader.Number(8)));
  }
  for (uint64_t i = 0; i < header.transitions; ++i) {
    const auto type = static_cast<uint8_t>(reader.Number(1));
    if (type >= header.types) return nullptr;
    zone->transition_types_.push_back(type);
  }
  std::vector<std::pair<bool, size_t>> details;  // summer time, where the name starts
  for (uint64_t i = 0; i < header.types; ++i) {
    zone->types_.push_back({static_cast<int32_t>(reader.Number(4)), ""});
    const bool summer = reader.Number(1) != 0;
    details.emplace_back(summer, reader.Number(1));
  }
  const std::string_view names = reader.Take(header.name_bytes);
  reader.Take(header.leaps * 12 + header.standard_flags + header.utc_flags);
  if (!reader.ok() || !std::is_sorted(zone->transitions_.begin(), zone->transitions_.end())) return nullptr;
  for (size_t i = 0; i < details.size(); ++i) {
    if (details[i].second >= names.size()) return nullptr;
    const std::string_view name = names.substr(details[i].second);
    zone->types_[i].name = name.substr(0, name.find('\0'));
  }
  std::string_view rule = reader.rest();
  if (rule.starts_with('\n')) {
    rule.remove_prefix(1);
    zone->has_rule_ = zone->ParseRule(rule.substr(0, rule.find('\n')));
  }
  return zone;
}

bool TimeZone::ParseRule(std::string_view text) {
  int64_t west = 0;
  if (!ReadName(&text, &rule_.standard.name) || !ReadTime(&text, &west)) return false;
  rule_.standard.offset_seconds = static_cast<int32_t>(-west);
  if (text.empty()) return true;
  if (!ReadName(&text, &rule_.summer.name)) return false;
  rule_.has_summer = true;
  rule_.summer.offset_seconds = rule_.standard.offset_seconds + 3600;
  if (!text.empty() && text[0] != ',') {
    if (!ReadTime(&text, &west)) return false;
    rule_.summer.offset_seconds = static_cast<int32_t>(-west);
  }
  for (Change* change : {&rule_.begins, &rule_.ends}) {
    if (!ReadCharacter(&text, ',')) return false;
    if (ReadCharacter(&text, 'M')) {
      if (!ReadNumber(&text, &change->month) || !ReadCharacter(&text, '.') ||
          !ReadNumber(&text, &change->week) || !ReadCharacter(&text, '.') ||
          !ReadNumber(&text, &change->weekday)) {
        return false;
      }
      if (change->month < 1 || change->month > 12 || change->week < 1 || change->week > 5 ||
          change->weekday > 6) {
        return false;
      }
    } else {
      change->kind = ReadCharacter(&text, 'J') ? 'J' : 'N';
      if (!ReadNumber(&text, &change->day)) return false;
    }
    if (ReadCharacter(&text, '/') && !ReadTime(&text, &change->seconds)) return false;
  }
  return text.empty();
}

int64_t TimeZone::ChangeSeconds(const Change& change, int64_t year) {
  int64_t days = 0;
  if (change.kind == 'M') {
    days = DaysFromCivil(year, change.month, 1);
    const int first = WeekdayOf(days * 86400);
    days += (change.weekday - first + 7) % 7 + (change.week - 1) * 7;
    if (days >= DaysFromCivil(year, change.month, 1) + DaysIn(change.month, year)) days -= 7;
  } else {
    days = DaysFromCivil(year, 1, 1) + change.day;
    if (change.kind == 'J') {
      const bool after_february = change.day >= 60 && DaysIn(2, year) == 29;
      days += after_february ? 0 : -1;
    }
  }
  return days * 86400 + change.seconds;
}

TimeZone::Period TimeZone::AtByRule(int64_t seconds) const {
  Period period{rule_.standard.offset_seconds, rule_.standard.name};
  if (!transitions_.empty()) period.begin = transitions_.back();
  if (!rule_.has_summer) return period;
  // The changes of three years surround any moment of the middle one.
  const int64_t year = CivilFromSeconds(seconds).year;
  std::vector<std::pair<int64_t, bool>> changes;  // when, whether summer begins
  for (int64_t y = year - 1; y <= year + 1; ++y) {
    changes.emplace_back(ChangeSeconds(rule_.begins, y) - rule_.standard.offset_seconds, true);
    changes.emplace_back(ChangeSeconds(rule_.ends, y) - rule_.summer.offset_seconds, false);
  }
  std::sort(changes.begin(), changes.end());
  for (size_t i = 0; i + 1 < changes.size(); ++i) {
    if (seconds < changes[i].first || seconds >= changes[i + 1].first) continue;
    const Type& type = changes[i].second ? rule_.summer : rule_.standard;
    return {type.offset_seconds, type.name, std::max(period.begin, changes[i].first), changes[i + 1].first};
  }
  return period;
}

TimeZone::Period TimeZone::At(int64_t seconds) const {
  const auto after = std::upper_bound(transitions_.begin(), transitions_.end(), seconds);
  if (after == transitions_.end() && has_rule_) return AtByRule(seconds);
  const auto index = static_cast<size_t>(after - transitions_.begin());
  const Type& type = types_[index == 0 ? first_type_ : transition_types_[index - 1]];
  Period period{type.offset_seconds, type.name};
  if (index > 0) period.begin = transitions_[index - 1];
  if (after != transitions_.end()) period.end = *after;
  return period;
}

bool TimeZone::FindName(std::string_view name, int64_t seconds, int32_t* offset_seconds) const {
  const auto matches = [&](const Type& type) {
    if (type.name != name) return false;
    *offset_seconds = type.offset_seconds;
    return true;
  };
  for (const Type& type : types_) {
    if (type.name == name && At(seconds - type.offset_seconds).name == name) return matches(type);
  }
  return std::any_of(types_.begin(), types_.end(), matches);
}

}  // namespace varve::templates
