// The named time intervals of a configuration, and whether a time lies in them.
//
// Threads: immutable, share freely.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "alerting/notify/notify_config.h"

namespace varve {

// By the clock and calendar of the interval's location.
bool Contains(const TimeInterval& interval, int64_t now_ms);

class TimeIntervals {
 public:
  explicit TimeIntervals(const std::vector<NamedTimeInterval>& intervals);
  // Those of `names` that the time lies in. Names that are not known count as none: the configuration was checked.
  std::vector<std::string> Containing(const std::vector<std::string>& names, int64_t now_ms) const;
  // The names that mute a route now: mute times it is in, or all active times when it is in none of them.
  std::vector<std::string> Muting(const std::vector<std::string>& mute, const std::vector<std::string>& active,
                                  int64_t now_ms) const;

 private:
  std::map<std::string, std::vector<TimeInterval>> by_name_;
};

}  // namespace varve
