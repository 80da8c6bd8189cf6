// A group of rules as it runs: what it says, and where its rules and alerts are at.
//
// Threads: one evaluation of a group at a time writes; it holds `mu` while it changes what `mu` guards, and reads it
// without, being the only writer. Everybody else holds `mu`.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "alerting/rules/alarm.h"
#include "alerting/rules/alert_state.h"
#include "alerting/rules/rule_group.h"
#include "alerting/rules/rule_query.h"
#include "alerting/rules/rule_status.h"
#include "alerting/rules/rule_template.h"
#include "alerting/rules/rule_writer.h"
#include "engine/base/mutex.h"

namespace varve {

struct GroupKey {
  std::string tenant;
  bool by_api = false;
  std::string file;
  std::string name;
  auto operator<=>(const GroupKey&) const = default;
};

using SeriesSet = std::unordered_set<PackedLabels, PackedLabelsHash>;

struct RuleTemplates {
  std::vector<std::pair<std::string, RuleTemplate>> labels;
  std::vector<std::pair<std::string, RuleTemplate>> annotations;
};

struct RuleState {
  Rule rule;       // with the group's labels
  std::string id;  // RuleId of its name, labels, and number among those of the same
  std::unique_ptr<const RuleQuery> query;  // null: parse_error says why
  std::unique_ptr<const RuleQuery> presence;  // of an alarm that compares: 1 where it is breaching, 0 where not
  Status parse_error;
  bool templated = false;         // any label or annotation
  bool asks_in_template = false;  // … that may run a query
  // Of an alerting rule, from the first alert on: thousands of bytes each, and most rules never have one. The
  // evaluation's own.
  std::optional<RuleTemplates> templates;

  // Guarded by the group's mutex.
  RuleHealth health = RuleHealth::kUnknown;
  std::string last_error;
  int64_t last_evaluation_ms = 0;
  double evaluation_seconds = 0;
  AlertTable alerts;
  AlarmTable alarms;
  // Of a recording rule: the series of its last evaluation; not known after a restart, when the store is asked.
  SeriesSet recorded;
  bool recorded_known = true;
  // Series that have ended, until their stale markers are written.
  std::vector<PackedLabels> ended;
};

struct GroupState {
  GroupKey key;
  std::string id;  // GroupId(key)
  RuleGroup group;
  int64_t interval_ms = 0;
  int64_t query_offset_ms = 0;

  mutable Mutex mu;
  std::vector<RuleState> rules;
  std::vector<PackedLabels> ended;  // of rules that are gone
  std::vector<TimedLine> lines;     // of {job="varve-alerts"}, to be written
  std::vector<std::string> records_to_remove;
  std::optional<int64_t> last_iteration_ms;  // its own time
  std::optional<int64_t> last_sample_ms;     // the time of what it wrote
  int64_t last_evaluation_ms = 0;            // by the clock
  double evaluation_seconds = 0;
};

// A rule's place in `group`, with its expression parsed and the group's labels merged.
std::vector<RuleState> MakeRuleStates(const RuleGroup& group);

// The series of an alert.
PackedLabels AlertSeries(const LabelMap& labels, AlertState state);
PackedLabels ForStateSeries(const LabelMap& labels);

// Takes over from `old` what its rules have in common with those of `fresh`: rules are the same when name and labels are
// (the first with the first, the second with the second…), as in Prometheus. What is left of `old` ends.
void TakeOverState(GroupState* old, GroupState* fresh);
// All series that exist by the group's last evaluation.
void AddLiveSeries(const GroupState& group, std::vector<PackedLabels>* series);

}  // namespace varve
