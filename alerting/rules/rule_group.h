// A group of recording and alerting rules, as rule files of Prometheus and Loki have them. Plain data.
//
// rule_file.h reads and prints them, and checks them: whatever holds a RuleGroup holds a valid one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/label_map.h"

namespace varve {

enum class RuleLanguage : uint8_t { kPromql, kLogql };
std::string_view RuleLanguageName(RuleLanguage language);  // "promql"

// What values that are not there count as.
enum class TreatMissing : uint8_t { kMissing, kIgnore, kBreaching, kNotBreaching };
std::string_view TreatMissingName(TreatMissing treat);  // "not_breaching"

inline constexpr uint32_t kAlarmPeriodsMax = 10'000;

// M of N: the alert follows the last `evaluation_periods` evaluations of the rule (alarm.h).
struct AlarmSpec {
  uint32_t evaluation_periods = 1;   // N, 1 to kAlarmPeriodsMax
  uint32_t datapoints_to_alarm = 1;  // M, 1 to N; N where the file does not say
  TreatMissing treat_missing = TreatMissing::kMissing;
  bool notify_insufficient_data = false;  // also alerts with alarm_state="INSUFFICIENT_DATA"
  bool operator==(const AlarmSpec&) const = default;
};

struct Rule {
  std::string record;  // the metric to write, or empty
  std::string alert;   // the alert's name, or empty; exactly one of the two is there
  std::string expr;    // as written
  RuleLanguage language = RuleLanguage::kPromql;
  bool language_given = false;  // by `type:`, so that it is printed back
  int64_t for_ms = 0;
  int64_t keep_firing_for_ms = 0;
  LabelMap labels;       // templates, in alerting rules
  LabelMap annotations;  // templates
  std::optional<AlarmSpec> alarm;
  uint32_t line = 0;  // in its file, from 1; 0: it has none

  const std::string& name() const { return record.empty() ? alert : record; }
  bool recording() const { return !record.empty(); }
  // Whether the two are the same rule: what it says, not where it stands.
  bool SameAs(const Rule& other) const;
};

struct RuleGroup {
  std::string name;
  std::string file;  // the path, or the namespace of a group that came by the API
  std::optional<int64_t> interval_ms;      // absent: RulerOptions::evaluation_interval_ms
  std::optional<int64_t> query_offset_ms;  // absent: RulerOptions::query_offset_ms
  uint32_t limit = 0;                      // of a rule's alerts or series; 0: none
  LabelMap labels;                         // of every rule that does not set them itself
  std::vector<Rule> rules;
  uint32_t line = 0;
};

}  // namespace varve
