#include "alerting/rules/alert_records.h"

#include <xxhash.h>

#include <utility>

#include "engine/base/bytes.h"

namespace varve {
namespace {

constexpr uint8_t kVersion = 1;
constexpr std::string_view kGroupPrefix = "alerts/g/";
constexpr std::string_view kAlertPrefix = "alerts/a/";
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
  std::string key(kAlertPrefix);
  key.append(group_id).append(rule_id).append(Digest(labels.canonical()));
  return key;
}

std::string EncodeGroup(const GroupRecord& group) {
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

Result<GroupRecord> DecodeGroup(std::string_view bytes) {
  ByteReader in(bytes);
  VARVE_RETURN_IF_ERROR(CheckVersion(&in, "a rule group"));
  GroupRecord group;
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

Result<StoredGroups> ReadStoredGroups(const RecordStore& records) {
  StoredGroups groups;
  VARVE_RETURN_IF_ERROR(records.ForEachRecord(kGroupPrefix, [&](std::string_view key, std::string_view value) -> Status {
    VARVE_ASSIGN_OR_RETURN(groups[std::string(key.substr(kGroupPrefix.size()))].record, DecodeGroup(value));
    return Status::Ok();
  }));
  VARVE_RETURN_IF_ERROR(records.ForEachRecord(kAlertPrefix, [&](std::string_view key, std::string_view value) -> Status {
    const std::string_view ids = key.substr(kAlertPrefix.size());
    if (ids.size() != 3 * kIdBytes) return Corruption("record of an alert: its key has a wrong length");
    VARVE_ASSIGN_OR_RETURN(TrackedAlert alert, DecodeAlert(value));
    StoredGroup& group = groups[std::string(ids.substr(0, kIdBytes))];
    group.alerts[std::string(ids.substr(kIdBytes, kIdBytes))].push_back(std::move(alert));
    return Status::Ok();
  }));
  return groups;
}

void RestoreGroup(StoredGroup stored, GroupState* group) {
  group->last_iteration_ms = stored.record.last_iteration_ms;
  group->last_sample_ms = stored.record.last_sample_ms;
  group->lines = std::move(stored.record.lines);
  for (RuleState& rule : group->rules) {
    rule.recorded_known = !stored.record.last_sample_ms.has_value();
    const auto at = stored.alerts.find(rule.id);
    if (at == stored.alerts.end()) continue;
    for (TrackedAlert& alert : at->second) rule.alerts.Restore(std::move(alert));
    stored.alerts.erase(at);
  }
  for (const auto& [rule_id, alerts] : stored.alerts) {
    for (const TrackedAlert& alert : alerts) {
      group->records_to_remove.push_back(AlertKey(group->id, rule_id, PackLabels(alert.labels)));
      if (!alert.active()) continue;
      group->ended.push_back(AlertSeries(alert.labels, alert.state));
      group->ended.push_back(ForStateSeries(alert.labels));
    }
  }
}

}  // namespace varve
