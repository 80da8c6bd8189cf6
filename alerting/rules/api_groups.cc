#include "alerting/rules/api_groups.h"

#include <utility>

#include "engine/base/bytes.h"

namespace varve {
namespace {

constexpr uint8_t kVersion = 1;
constexpr std::string_view kPrefix = "rules/g/";

void PutMap(std::string* out, const LabelMap& map) {
  PutVarint(out, map.size());
  for (const auto& [name, value] : map) {
    PutLengthPrefixed(out, name);
    PutLengthPrefixed(out, value);
  }
}

LabelMap ReadMap(ByteReader* in) {
  LabelMap map;
  const uint64_t count = in->Varint();
  for (uint64_t i = 0; i < count && in->ok(); ++i) {
    const std::string_view name = in->LengthPrefixed();
    map.emplace(name, in->LengthPrefixed());
  }
  return map;
}

void PutOptional(std::string* out, const std::optional<int64_t>& value) {
  out->push_back(value.has_value() ? 1 : 0);
  if (value.has_value()) PutSignedVarint(out, *value);
}

std::optional<int64_t> ReadOptional(ByteReader* in) {
  if (in->Fixed<uint8_t>() == 0) return std::nullopt;
  return in->SignedVarint();
}

void PutRule(std::string* out, const Rule& rule) {
  PutLengthPrefixed(out, rule.record);
  PutLengthPrefixed(out, rule.alert);
  PutLengthPrefixed(out, rule.expr);
  out->push_back(static_cast<char>(rule.language));
  out->push_back(rule.language_given ? 1 : 0);
  PutSignedVarint(out, rule.for_ms);
  PutSignedVarint(out, rule.keep_firing_for_ms);
  PutMap(out, rule.labels);
  PutMap(out, rule.annotations);
  out->push_back(rule.alarm.has_value() ? 1 : 0);
  if (rule.alarm.has_value()) {
    PutVarint(out, rule.alarm->evaluation_periods);
    PutVarint(out, rule.alarm->datapoints_to_alarm);
    out->push_back(static_cast<char>(rule.alarm->treat_missing));
    out->push_back(rule.alarm->notify_insufficient_data ? 1 : 0);
  }
  PutVarint(out, rule.line);
}

Result<Rule> ReadRule(ByteReader* in) {
  Rule rule;
  rule.record = in->LengthPrefixed();
  rule.alert = in->LengthPrefixed();
  rule.expr = in->LengthPrefixed();
  const uint8_t language = in->Fixed<uint8_t>();
  if (language > static_cast<uint8_t>(RuleLanguage::kLogql)) return Corruption("no language has that number");
  rule.language = static_cast<RuleLanguage>(language);
  rule.language_given = in->Fixed<uint8_t>() != 0;
  rule.for_ms = in->SignedVarint();
  rule.keep_firing_for_ms = in->SignedVarint();
  rule.labels = ReadMap(in);
  rule.annotations = ReadMap(in);
  if (in->Fixed<uint8_t>() != 0) {
    AlarmSpec alarm;
    alarm.evaluation_periods = static_cast<uint32_t>(in->Varint());
    alarm.datapoints_to_alarm = static_cast<uint32_t>(in->Varint());
    const uint8_t treat = in->Fixed<uint8_t>();
    if (treat > static_cast<uint8_t>(TreatMissing::kNotBreaching)) return Corruption("no treatment has that number");
    alarm.treat_missing = static_cast<TreatMissing>(treat);
    alarm.notify_insufficient_data = in->Fixed<uint8_t>() != 0;
    rule.alarm = alarm;
  }
  rule.line = static_cast<uint32_t>(in->Varint());
  return rule;
}

}  // namespace

std::string ApiGroupKey(std::string_view tenant, std::string_view rule_namespace, std::string_view name) {
  std::string key(kPrefix);
  PutLengthPrefixed(&key, tenant);
  PutLengthPrefixed(&key, rule_namespace);
  PutLengthPrefixed(&key, name);
  return key;
}

std::string EncodeApiGroup(std::string_view tenant, const RuleGroup& group) {
  std::string out(1, static_cast<char>(kVersion));
  PutLengthPrefixed(&out, tenant);
  PutLengthPrefixed(&out, group.file);
  PutLengthPrefixed(&out, group.name);
  PutOptional(&out, group.interval_ms);
  PutOptional(&out, group.query_offset_ms);
  PutVarint(&out, group.limit);
  PutMap(&out, group.labels);
  PutVarint(&out, group.line);
  PutVarint(&out, group.rules.size());
  for (const Rule& rule : group.rules) PutRule(&out, rule);
  return out;
}

Result<ApiGroup> DecodeApiGroup(std::string_view bytes) {
  ByteReader in(bytes);
  const uint8_t version = in.Fixed<uint8_t>();
  if (!in.ok() || version != kVersion) {
    return Corruption("version " + std::to_string(version) + " is not known, this program has " +
                      std::to_string(kVersion));
  }
  ApiGroup out;
  out.tenant = in.LengthPrefixed();
  RuleGroup& group = out.group;
  group.file = in.LengthPrefixed();
  group.name = in.LengthPrefixed();
  group.interval_ms = ReadOptional(&in);
  group.query_offset_ms = ReadOptional(&in);
  group.limit = static_cast<uint32_t>(in.Varint());
  group.labels = ReadMap(&in);
  group.line = static_cast<uint32_t>(in.Varint());
  const uint64_t rules = in.Varint();
  for (uint64_t i = 0; i < rules && in.ok(); ++i) {
    VARVE_ASSIGN_OR_RETURN(Rule rule, ReadRule(&in));
    group.rules.push_back(std::move(rule));
  }
  if (!in.AtEnd()) return Corruption("it ends early or late");
  return out;
}

Result<std::vector<ApiGroup>> ReadApiGroups(const RecordStore& records) {
  std::vector<ApiGroup> groups;
  VARVE_RETURN_IF_ERROR(records.ForEachRecord(kPrefix, [&](std::string_view, std::string_view value) -> Status {
    Result<ApiGroup> group = DecodeApiGroup(value);
    if (!group.ok()) return std::move(group).status().WithContext("record of a rule group of the API");
    groups.push_back(*std::move(group));
    return Status::Ok();
  }));
  return groups;
}

}  // namespace varve
