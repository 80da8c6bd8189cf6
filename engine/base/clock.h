// The time of day, behind an interface so that tests decide what time it is.
//
// Threads: thread-safe.
#pragma once

#include <cstdint>

namespace varve {

class Clock {
 public:
  virtual ~Clock() = default;
  // Nanoseconds since the Unix epoch.
  virtual int64_t NowNs() const = 0;
  // The machine's clock; lives for ever.
  static const Clock& System();
};

}  // namespace varve
