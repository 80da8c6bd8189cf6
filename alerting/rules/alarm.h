// Alarms: the state of a rule by M of its last N datapoints, as CloudWatch has them (docs/rules.md, "Alarms").
//
// Each evaluation gives each known label set one datapoint: breaching, fine, or missing.
//
//   breaching, not_breaching   what is missing counts as that; ALARM iff M of the last N are breaching
//   missing, ignore            what is missing does not count; no datapoint among the last N: INSUFFICIENT_DATA, or
//                              (ignore) the state stays. Also ALARM (ignore: the state stays) when every datapoint
//                              among the last N is breaching and the oldest is M periods old: it may well be one
//
// Evaluating twice at one time changes nothing the second time.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "alerting/rules/alert_state.h"
#include "alerting/rules/rule_group.h"
#include "alerting/rules/rule_status.h"
#include "engine/model/packed_labels.h"

namespace varve {

// A label set that was not seen for so long, and is not in ALARM, is forgotten.
inline constexpr int64_t kAlarmForgottenMs = 24LL * 3600 * 1000;

enum class DatapointKind : uint8_t { kMissing = 0, kFine = 1, kBreaching = 2 };

struct Datapoint {
  DatapointKind kind = DatapointKind::kMissing;
  double value = 0;  // of a breaching one
  bool operator==(const Datapoint&) const = default;
};

struct Alarm {
  LabelMap labels;
  LabelMap annotations;  // of its last breaching datapoint; of the first, until there is one
  double value = 0;      // of its last breaching datapoint
  AlarmState state = AlarmState::kInsufficientData;
  std::string reason;
  int64_t since_ms = 0;
  std::deque<Datapoint> window;    // the last N, oldest first
  int64_t last_datapoint_ms = 0;   // of the evaluation that gave the last of them
  int64_t last_seen_ms = 0;        // … that was not missing
  bool placeholder = false;        // it stands for a rule of which nothing was ever seen
};

struct AlarmObservation {
  SeenAlert alert;
  bool breaching = false;
};

struct AlarmChange {
  AlarmState from = AlarmState::kInsufficientData;
  Alarm alarm;  // as it is after the change
};

class AlarmTable {
 public:
  using Alarms = std::map<PackedLabels, Alarm>;

  // Before Step: what was not seen for kAlarmForgottenMs goes, and what stood for label sets that were not known.
  void Forget(int64_t ts_ms, const std::map<PackedLabels, AlarmObservation>& observed);
  // Takes one evaluation; `nothing_seen` is the alarm when no label set was ever seen.
  void Step(int64_t ts_ms, const AlarmSpec& spec, std::map<PackedLabels, AlarmObservation> observed,
            const SeenAlert& nothing_seen, std::vector<AlarmChange>* changes);
  // What is to be alerted: those in ALARM, and with notify_insufficient_data those without data for N periods; with
  // the label alarm_state, and the annotation alarm_reason where the rule has none.
  std::map<PackedLabels, SeenAlert> Alerts(const AlarmSpec& spec) const;

  const Alarms& alarms() const { return alarms_; }
  void Restore(Alarm alarm);
  const std::set<PackedLabels>& dirty() const { return dirty_; }
  void ClearDirty() { dirty_.clear(); }

 private:
  Alarms alarms_;
  std::set<PackedLabels> dirty_;
};

// The state by the window, and why.
struct AlarmVerdict {
  AlarmState state = AlarmState::kInsufficientData;
  std::string reason;
};
AlarmVerdict JudgeAlarm(const std::deque<Datapoint>& window, const AlarmSpec& spec, AlarmState before);

}  // namespace varve
