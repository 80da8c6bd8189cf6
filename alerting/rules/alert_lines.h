// The lines of {job="varve-alerts"}: one for each change of an alert's or alarm's state.
//
//   {"rule":"BruteForce","group":"ssh","file":"rules/ssh.yml","labels":{…},"annotations":{…},"value":12,
//    "from":"pending","to":"firing","activeAt":"2026-11-20T09:00:00.000Z"}
//
// Values that JSON has no number for are strings: "NaN", "+Inf", "-Inf".
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "alerting/label_map.h"
#include "alerting/rules/alert_state.h"
#include "alerting/rules/group_state.h"

namespace varve {

inline constexpr std::string_view kAlertLinesJob = "varve-alerts";

std::string AlertLine(const GroupState& group, const Rule& rule, const AlertChange& change);

// {"rule":…,"alarm":true,…,"from":"OK","to":"ALARM","reason":"2 of the last 3 datapoints were breaching (12, 15)"}
std::string AlarmLine(const GroupState& group, const Rule& rule, const AlarmChange& change);

// {"a":"b"}
void AppendJsonLabels(std::string* out, const LabelMap& labels);
// 2026-11-20T09:00:00.000Z
std::string Rfc3339Millis(int64_t ms);

}  // namespace varve
