// The table of configuration keys.
//
// Threads: thread-compatible.
#pragma once

#include <string_view>
#include <vector>

#include "tools/config_slots.h"

namespace varve {

struct Config;

// What stands below `limits:` may differ by tenant and change while the server runs.
inline constexpr std::string_view kLimitsSection = "limits.";

struct Setting {
  std::string_view key;
  Slot slot;
  std::string_view meaning;
};

// Every key, pointing into `config`; a section's keys stand together.
std::vector<Setting> Settings(Config* config);

}  // namespace varve
