// The time that a line of a log says, by a format.
//
//   rfc3339   2026-12-10T06:55:46.25+09:00, "2026-12-10 06:55:46,250" (without a zone: --time-zone)
//   syslog    Dec 10 06:55:46, with <PRI> before it or without; the year is inferred
//   unix      1793514600, 1793514600.25, or milliseconds, microseconds, nanoseconds, told apart by their size
//   others    as of strptime: %Y %y %m %b %B %d %e %H %I %M %S %p %f (fraction) %z %s %j %a %A %F %T %D %n %%
//
// The time is where the text begins. A year that is not there is that of the latest time that lies no more than two
// days before the line before (so that December is followed by January), or for a first line not more than a day after
// `now_ns`; the same line after the same line gives the same time, whenever it is read.
// Zones come from the system's database; the process's TZ is set to the one that is asked for.
// Threads: thread-compatible, one object in a process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace varve {

class LineTimeFormat {
 public:
  // `zone` is a name such as Asia/Seoul; empty = the system's. kInvalidArgument names what is wrong.
  static Result<LineTimeFormat> Parse(const std::string& format, const std::string& zone);

  // `previous_ns` is the time of the line before, 0 = there is none. nullopt: the text does not begin with a time.
  std::optional<int64_t> Read(std::string_view text, int64_t previous_ns, int64_t now_ns);

 private:
  struct Step {
    char kind = 0;  // the directive's letter; ' ' white space, '=' a literal, 'r' 'u' the named formats
    char literal = 0;
  };
  // A date and time, as far as it is known.
  struct Fields {
    int year = -1, month = 1, day = 1, hour = 0, minute = 0, second = 0;
    int half = -1;  // %p: 0 AM, 1 PM
    int day_of_year = -1;
    int64_t fraction_ns = 0;
    bool has_zone = false;
    int seconds_east = 0;
    std::optional<int64_t> epoch_ns;  // %s and unix
  };

  bool ReadStep(const Step& step, std::string_view* text, Fields* fields) const;
  std::optional<int64_t> ToNs(const Fields& fields);
  std::optional<int64_t> WithYear(Fields fields, int64_t previous_ns, int64_t now_ns);
  int64_t LocalSeconds(const Fields& fields);

  std::vector<Step> steps_;
  bool priority_ = false;  // <PRI> may come first
  bool local_is_utc_ = false;
  // The last minute that was looked up in the zone.
  int64_t cached_minute_ = INT64_MIN;  // minutes since 1970 as if in UTC
  int64_t cached_seconds_ = 0;
};

}  // namespace varve
