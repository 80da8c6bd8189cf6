// The durable form of what rules know (docs/format.md, "Records of rules"), and what a start reads of it.
//
//   alerts/g/…  a group: its last evaluation, and the lines of it that may not have been written yet
//   alerts/a/…  an alert that is pending, firing, or resolved not long ago
//   alerts/w/…  an alarm, with its window of datapoints
//   alerts/t    when a ruler was last seen: waiting for what agents kept, or stopping
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/rules/alert_state.h"
#include "alerting/rules/group_state.h"
#include "engine/base/status.h"
#include "engine/record_store.h"

namespace varve {

// 16 bytes that stand for a group, or a rule in its group, in keys.
std::string GroupId(const GroupKey& key);
std::string RuleId(std::string_view identity, uint64_t number);

std::string GroupRecordKey(std::string_view group_id);
std::string AlertKey(std::string_view group_id, std::string_view rule_id, const PackedLabels& labels);

std::string AlarmKey(std::string_view group_id, std::string_view rule_id, const PackedLabels& labels);
// The keys of all records that the rule may have.
void AddRecordKeys(std::string_view group_id, const RuleState& rule, std::vector<std::string>* keys);

struct RuleGroupRecord {
  GroupKey key;
  std::optional<int64_t> last_iteration_ms;
  std::optional<int64_t> last_sample_ms;
  std::vector<TimedLine> lines;
};
std::string EncodeGroup(const RuleGroupRecord& group);
Result<RuleGroupRecord> DecodeGroup(std::string_view bytes);
std::string EncodeAlert(const TrackedAlert& alert);
Result<TrackedAlert> DecodeAlert(std::string_view bytes);
std::string EncodeAlarm(const Alarm& alarm);
Result<Alarm> DecodeAlarm(std::string_view bytes);

// When a ruler was last seen waiting or stopping; the next start waits only for the time since.
RecordStore::Record WaitingRecord(int64_t now_ms);
Result<std::optional<int64_t>> ReadWaitingRecord(const RecordStore& records);

// Everything of a group that was stored.
struct StoredGroup {
  RuleGroupRecord record;
  // By RuleId.
  std::map<std::string, std::vector<TrackedAlert>, std::less<>> alerts;
  std::map<std::string, std::vector<Alarm>, std::less<>> alarms;
};
// By GroupId. kCorruption names the key.
using StoredGroups = std::map<std::string, StoredGroup, std::less<>>;
Result<StoredGroups> ReadStoredGroups(const RecordStore& records);

// Gives the group what was stored of it; alerts of rules that it has no more end.
void RestoreGroup(StoredGroup stored, GroupState* group);
// What is to be done when there is no such group any more: the keys of its records, and the series of its alerts.
struct StoredRemains {
  std::vector<std::string> keys;
  std::vector<PackedLabels> series;
};
StoredRemains RemainsOf(std::string_view group_id, const StoredGroup& stored);

}  // namespace varve
