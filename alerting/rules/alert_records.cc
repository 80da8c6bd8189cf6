#include "alerting/rules/alert_records.h"

#include <xxhash.h>

#include <utility>

#include "engine/base/bytes.h"

namespace varve {
namespace {

constexpr uint8_t kVersion = 1;
constexpr std::string_view kGroupPrefix = "alerts/g/";
constexpr std::string_view kAlertPrefix = "alerts/a/";
constexpr std::string_view kAlarmPrefix = "alerts/w/";
constexpr std::string_view kWaitingKey = "alerts/t";
constexpr size_t kIdBytes = 16;

std::string Digest(std::string_view bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  return std::string(reinterpret_cast<const char*>(canonical.digest), sizeof canonical.digest);
}

void PutLabels(std::string* out, const LabelMap& labels) {
  PutVarint(out, labels.size());
  for (const auto& [name, value] : labels) {
    PutLengthPrefixed(out, name);
    PutLengthPrefixed(out, value);
  }
}

bool ReadLabels(ByteReader* in, LabelMap* labels) {
  const uint64_t count = in->Varint();
  if (count > in->remaining()) return false;
  for (uint64_t i = 0; i < count && in->ok(); ++i) {
    const std::string_view name = in->LengthPrefixed();
    const std::string_view value = in->LengthPrefixed();
    labels->emplace(name, value);
  }
  return in->ok();
}

void PutTime(std::string* out, const std::optional<int64_t>& time) {
  out->push_back(time.has_value() ? 1 : 0);
  if (time.has_value()) PutSignedVarint(out, *time);
}

std::optional<int64_t> ReadTime(ByteReader* in) {
  if (in->Fixed<uint8_t>() == 0) return std::nullopt;
  return in->SignedVarint();
}

Status CheckVersion(ByteReader* in, std::string_view what) {
  const uint8_t version = in->Fixed<uint8_t>();
  if (in->ok() && version == kVersion) return Status::Ok();
  return Corruption("record of " + std::string(what) + ": version " + std::to_string(version) +
                    " is not known, this program has " + std::to_string(kVersion));
}

std::string LabelledKey(std::string_view prefix, std::string_view group_id, std::string_view rule_id,
                        const PackedLabels& labels) {
  std::string key(prefix);
  key.append(group_id).append(rule_id).append(Digest(labels.canonical()));
  return key;
}

// Reads the records of one kind into `read(group, rule id, value)`.
template <typename Read>
Status ForEachLabelled(const RecordStore& records, std::string_view prefix, StoredGroups* groups, const Read& read) {
  return records.ForEachRecord(prefix, [&](std::string_view key, std::string_view value) -> Status {
    const std::string_view ids = key.substr(prefix.size());
    if (ids.size() != 3 * kIdBytes) return Corruption("record " + std::string(prefix) + "…: its key has a wrong length");
    return read(&(*groups)[std::string(ids.substr(0, kIdBytes))], std::string(ids.substr(kIdBytes, kIdBytes)), value);
  });
}

}  // namespace

std::string GroupId(const GroupKey& key) {
  std::string bytes(1, key.by_api ? 'a' : 'f');
  PutLengthPrefixed(&bytes, key.tenant);
  PutLengthPrefixed(&bytes, key.file);
  PutLengthPrefixed(&bytes, key.name);
  return Digest(bytes);
}

std::string RuleId(std::string_view identity, uint64_t number) {
  std::string bytes(identity);
  PutVarint(&bytes, number);
  return Digest(bytes);
}

std::string GroupRecordKey(std::string_view group_id) { return std::string(kGroupPrefix) + std::string(group_id); }

std::string AlertKey(std::string_view group_id, std::string_view rule_id, const PackedLabels& labels) {
  return LabelledKey(kAlertPrefix, group_id, rule_id, labels);
}

std::string AlarmKey(std::string_view group_id, std::string_view rule_id, const PackedLabels& labels) {
  return LabelledKey(kAlarmPrefix, group_id, rule_id, labels);
}

void AddRecordKeys(std::string_view group_id, const RuleState& rule, std::vector<std::string>* keys) {
  for (const PackedLabels& labels : rule.alerts.dirty()) keys->push_back(AlertKey(group_id, rule.id, labels));
  for (const auto& item : rule.alerts.alerts()) keys->push_back(AlertKey(group_id, rule.id, item.first));
  for (const PackedLabels& labels : rule.alarms.dirty()) keys->push_back(AlarmKey(group_id, rule.id, labels));
  for (const auto& item : rule.alarms.alarms()) keys->push_back(AlarmKey(group_id, rule.id, item.first));
}

std::string EncodeGroup(const RuleGroupRecord& group) {
  std::string out(1, static_cast<char>(kVersion));
  PutLengthPrefixed(&out, group.key.tenant);
  out.push_back(group.key.by_api ? 1 : 0);
  PutLengthPrefixed(&out, group.key.file);
  PutLengthPrefixed(&out, group.key.name);
  PutTime(&out, group.last_iteration_ms);
  PutTime(&out, group.last_sample_ms);
  PutVarint(&out, group.lines.size());
  for (const TimedLine& line : group.lines) {
    PutSignedVarint(&out, line.ts_ms);
    PutLengthPrefixed(&out, line.line);
  }
  return out;
}

Result<RuleGroupRecord> DecodeGroup(std::string_view bytes) {
  ByteReader in(bytes);
  VARVE_RETURN_IF_ERROR(CheckVersion(&in, "a rule group"));
  RuleGroupRecord group;
  group.key.tenant = in.LengthPrefixed();
  group.key.by_api = in.Fixed<uint8_t>() != 0;
  group.key.file = in.LengthPrefixed();
  group.key.name = in.LengthPrefixed();
  group.last_iteration_ms = ReadTime(&in);
  group.last_sample_ms = ReadTime(&in);
  const uint64_t count = in.Varint();
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    TimedLine line;
    line.ts_ms = in.SignedVarint();
    line.line = in.LengthPrefixed();
    group.lines.push_back(std::move(line));
  }
  if (!in.AtEnd()) return Corruption("record of a rule group: it ends early or late");
  return group;
}

std::string EncodeAlert(const TrackedAlert& alert) {
  std::string out(1, static_cast<char>(kVersion));
  out.push_back(static_cast<char>(alert.state));
  PutFixed(&out, alert.value);
  PutSignedVarint(&out, alert.active_at_ms);
  PutTime(&out, alert.fired_at_ms);
  PutTime(&out, alert.resolved_at_ms);
  PutTime(&out, alert.keep_firing_since_ms);
  PutLabels(&out, alert.labels);
  PutLabels(&out, alert.annotations);
  return out;
}

Result<TrackedAlert> DecodeAlert(std::string_view bytes) {
  ByteReader in(bytes);
  VARVE_RETURN_IF_ERROR(CheckVersion(&in, "an alert"));
  TrackedAlert alert;
  const uint8_t state = in.Fixed<uint8_t>();
  if (state > static_cast<uint8_t>(AlertState::kFiring)) {
    return Corruption("record of an alert: no state has the number " + std::to_string(state));
  }
  alert.state = static_cast<AlertState>(state);
  alert.value = in.Fixed<double>();
  alert.active_at_ms = in.SignedVarint();
  alert.fired_at_ms = ReadTime(&in);
  alert.resolved_at_ms = ReadTime(&in);
  alert.keep_firing_since_ms = ReadTime(&in);
  if (!ReadLabels(&in, &alert.labels) || !ReadLabels(&in, &alert.annotations) || !in.AtEnd()) {
    return Corruption("record of an alert: it ends early or late");
  }
  return alert;
}

std::string EncodeAlarm(const Alarm& alarm) {
  std::string out(1, static_cast<char>(kVersion));
  out.push_back(static_cast<char>(alarm.state));
  out.push_back(alarm.placeholder ? 1 : 0);
  PutSignedVarint(&out, alarm.since_ms);
  PutSignedVarint(&out, alarm.last_seen_ms);
  PutFixed(&out, alarm.value);
  PutLengthPrefixed(&out, alarm.reason);
  PutLabels(&out, alarm.labels);
  PutLabels(&out, alarm.annotations);
  PutVarint(&out, alarm.window.size());
  for (const Datapoint& point : alarm.window) {
    out.push_back(static_cast<char>(point.kind));
    if (point.kind == DatapointKind::kBreaching) PutFixed(&out, point.value);
  }
  return out;
}

Result<Alarm> DecodeAlarm(std::string_view bytes) {
  ByteReader in(bytes);
  VARVE_RETURN_IF_ERROR(CheckVersion(&in, "an alarm"));
  Alarm alarm;
  const uint8_t state = in.Fixed<uint8_t>();
  if (state > static_cast<uint8_t>(AlarmState::kAlarm)) {
    return Corruption("record of an alarm: no state has the number " + std::to_string(state));
  }
  alarm.state = static_cast<AlarmState>(state);
  alarm.placeholder = in.Fixed<uint8_t>() != 0;
  alarm.since_ms = in.SignedVarint();
  alarm.last_seen_ms = in.SignedVarint();
  alarm.value = in.Fixed<double>();
  alarm.reason = in.LengthPrefixed();
  if (!ReadLabels(&in, &alarm.labels) || !ReadLabels(&in, &alarm.annotations)) {
    return Corruption("record of an alarm: its labels end early");
  }
  const uint64_t count = in.Varint();
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    const uint8_t kind = in.Fixed<uint8_t>();
    if (kind > static_cast<uint8_t>(DatapointKind::kBreaching)) {
      return Corruption("record of an alarm: no datapoint has the number " + std::to_string(kind));
    }
    Datapoint point = {static_cast<DatapointKind>(kind), 0};
    if (point.kind == DatapointKind::kBreaching) point.value = in.Fixed<double>();
    alarm.window.push_back(point);
  }
  if (!in.AtEnd()) return Corruption("record of an alarm: it ends early or late");
  return alarm;
}

RecordStore::Record WaitingRecord(int64_t now_ms) {
  std::string value(1, kVersion);
  PutSignedVarint(&value, now_ms);
  return {.key = std::string(kWaitingKey), .value = std::move(value)};
}

Result<std::optional<int64_t>> ReadWaitingRecord(const RecordStore& records) {
  std::optional<int64_t> found;
  Status read = records.ForEachRecord(kWaitingKey, [&](std::string_view, std::string_view value) -> Status {
    ByteReader in(value);
    VARVE_RETURN_IF_ERROR(CheckVersion(&in, "a start's wait"));
    found = in.SignedVarint();
    return in.ok() && in.remaining() == 0 ? Status::Ok() : Corruption("record of a start's wait: wrong length");
  });
  if (!read.ok()) return read;
  return found;
}

Result<StoredGroups> ReadStoredGroups(const RecordStore& records) {
  StoredGroups groups;
  VARVE_RETURN_IF_ERROR(records.ForEachRecord(kGroupPrefix, [&](std::string_view key, std::string_view value) -> Status {
    VARVE_ASSIGN_OR_RETURN(groups[std::string(key.substr(kGroupPrefix.size()))].record, DecodeGroup(value));
    return Status::Ok();
  }));
  VARVE_RETURN_IF_ERROR(ForEachLabelled(records, kAlertPrefix, &groups,
                                        [](StoredGroup* group, std::string rule_id, std::string_view value) -> Status {
                                          VARVE_ASSIGN_OR_RETURN(TrackedAlert alert, DecodeAlert(value));
                                          group->alerts[std::move(rule_id)].push_back(std::move(alert));
                                          return Status::Ok();
                                        }));
  VARVE_RETURN_IF_ERROR(ForEachLabelled(records, kAlarmPrefix, &groups,
                                        [](StoredGroup* group, std::string rule_id, std::string_view value) -> Status {
                                          VARVE_ASSIGN_OR_RETURN(Alarm alarm, DecodeAlarm(value));
                                          group->alarms[std::move(rule_id)].push_back(std::move(alarm));
                                          return Status::Ok();
                                        }));
  return groups;
}

StoredRemains RemainsOf(std::string_view group_id, const StoredGroup& stored) {
  StoredRemains remains;
  for (const auto& [rule_id, alerts] : stored.alerts) {
    for (const TrackedAlert& alert : alerts) {
      remains.keys.push_back(AlertKey(group_id, rule_id, PackLabels(alert.labels)));
      if (!alert.active()) continue;
      remains.series.push_back(AlertSeries(alert.labels, alert.state));
      remains.series.push_back(ForStateSeries(alert.labels));
    }
  }
  for (const auto& [rule_id, alarms] : stored.alarms) {
    for (const Alarm& alarm : alarms) remains.keys.push_back(AlarmKey(group_id, rule_id, PackLabels(alarm.labels)));
  }
  return remains;
}

void RestoreGroup(StoredGroup stored, GroupState* group) {
  group->last_iteration_ms = stored.record.last_iteration_ms;
  group->last_sample_ms = stored.record.last_sample_ms;
  group->lines = std::move(stored.record.lines);
  for (RuleState& rule : group->rules) {
    rule.recorded_known = !stored.record.last_sample_ms.has_value();
    if (const auto at = stored.alerts.find(rule.id); at != stored.alerts.end()) {
      for (TrackedAlert& alert : at->second) rule.alerts.Restore(std::move(alert));
      stored.alerts.erase(at);
    }
    const auto at = stored.alarms.find(rule.id);
    if (at == stored.alarms.end() || !rule.rule.alarm.has_value()) continue;
    for (Alarm& alarm : at->second) {
      // Written when it changes, so the time of the last datapoint is that of the last evaluation.
      alarm.last_datapoint_ms = group->last_iteration_ms.value_or(0);
      const bool seen = !alarm.window.empty() && alarm.window.back().kind != DatapointKind::kMissing;
      if (seen) alarm.last_seen_ms = alarm.last_datapoint_ms;
      rule.alarms.Restore(std::move(alarm));
    }
    stored.alarms.erase(at);
  }
  StoredRemains remains = RemainsOf(group->id, stored);
  group->records_to_remove = std::move(remains.keys);
  group->ended = std::move(remains.series);
}

}  // namespace varve
