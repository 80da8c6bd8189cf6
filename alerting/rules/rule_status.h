// What rules and their alerts are at: what the APIs show of them. Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/label_map.h"
#include "alerting/rules/rule_group.h"

namespace varve {

enum class AlertState : uint8_t { kInactive, kPending, kFiring };
enum class RuleHealth : uint8_t { kUnknown, kOk, kError };
enum class AlarmState : uint8_t { kInsufficientData, kOk, kAlarm };
std::string_view AlertStateName(AlertState state);  // "firing"
std::string_view AlarmStateName(AlarmState state);  // "INSUFFICIENT_DATA"

struct ActiveAlert {
  LabelMap labels;
  LabelMap annotations;
  AlertState state = AlertState::kPending;
  int64_t active_at_ms = 0;
  int64_t fired_at_ms = 0;             // 0: not yet
  int64_t keep_firing_since_ms = 0;    // 0: the expression still holds
  double value = 0;
};

struct AlarmStatus {
  std::string group, file, rule;
  LabelMap labels;
  AlarmState state = AlarmState::kInsufficientData;
  std::string reason;  // "3 of the last 3 datapoints were breaching: …"
  int64_t since_ms = 0;
  AlarmSpec spec;
};

struct RuleStatus {
  Rule rule;
  RuleHealth health = RuleHealth::kUnknown;
  std::string last_error;
  AlertState state = AlertState::kInactive;  // the highest of the alerts
  std::vector<ActiveAlert> alerts;
  int64_t last_evaluation_ms = 0;  // 0: never
  double evaluation_seconds = 0;
};

struct GroupStatus {
  RuleGroup group;
  int64_t interval_ms = 0;  // in effect
  std::vector<RuleStatus> rules;
  int64_t last_evaluation_ms = 0;
  double evaluation_seconds = 0;
};

// A group in figures: what /metrics and the log want of each, without its alerts.
struct GroupSummary {
  std::string tenant, file, name;
  size_t rules = 0;
  int64_t interval_ms = 0;
  int64_t last_evaluation_ms = 0;  // 0: never
  double evaluation_seconds = 0;   // of the last one
  size_t failing_rules = 0;
  std::string failing_rule, error;  // of the first that fails
};

}  // namespace varve
