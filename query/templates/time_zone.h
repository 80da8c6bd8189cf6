// Time zones from the system's database (/usr/share/zoneinfo, TZif files).
//
// Threads: Load is thread-safe; a zone is immutable and lives until the process ends.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace varve::templates {

class TimeZone {
 public:
  struct Period {
    int32_t offset_seconds = 0;  // east of UTC
    std::string_view name;       // abbreviation
    // Seconds since 1970: [begin, end).
    int64_t begin = std::numeric_limits<int64_t>::min();
    int64_t end = std::numeric_limits<int64_t>::max();
  };

  // Null when there is no such zone, or it cannot be read. At most kZonesMax are kept.
  static const TimeZone* Load(std::string_view name);
  // From a TZif file's bytes; null when they are none.
  static std::unique_ptr<const TimeZone> Parse(std::string_view bytes);

  Period At(int64_t seconds) const;
  // The offset that `name` stands for, at a local time that is given as if it were UTC.
  bool FindName(std::string_view name, int64_t seconds, int32_t* offset_seconds) const;

 private:
  static constexpr size_t kZonesMax = 1000;
  static constexpr size_t kFileBytesMax = 256 << 10;

  struct Type {
    int32_t offset_seconds = 0;
    std::string name;
  };
  // When summer time begins or ends, from the file's closing line: Mm.w.d/time.
  struct Change {
    int month = 1, week = 1, weekday = 0;  // kind 'M'
    int day = 0;                           // 'J' from 1 without leap days, 'N' from 0
    char kind = 'M';
    int64_t seconds = 7200;  // of local time
  };
  struct Rule {
    Type standard, summer;
    bool has_summer = false;
    Change begins, ends;
  };

  bool ParseRule(std::string_view text);
  Period AtByRule(int64_t seconds) const;
  static int64_t ChangeSeconds(const Change& change, int64_t year);

  std::vector<int64_t> transitions_;
  std::vector<uint8_t> transition_types_;
  std::vector<Type> types_;
  size_t first_type_ = 0;  // before the first transition
  Rule rule_;
  bool has_rule_ = false;
};

}  // namespace varve::templates
