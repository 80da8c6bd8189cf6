// What the APIs of rules and alerts write alike.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "alerting/label_map.h"

namespace varve {

// {"a":"b"}
void AppendLabelMapJson(std::string* out, const LabelMap& labels);
// In quotes: "2026-11-20T06:02:56.5Z", as Go writes a time; 0: its zero time, 0001-01-01T00:00:00Z.
void AppendGoTimeJson(std::string* out, int64_t ms);
// In quotes: "2026-11-20T06:02:56.500Z", always with three decimals, as Alertmanager writes it.
void AppendMilliTimeJson(std::string* out, int64_t ms);

}  // namespace varve
