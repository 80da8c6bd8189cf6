#include "alerting/rules/rule_decoding.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "alerting/yaml_reader.h"

namespace varve {
namespace {

constexpr std::string_view kOwnTenantOnly = "rules read and write their own tenant of this server";

class RuleDecoder {
 public:
  RuleDecoder(RuleLanguage language, std::vector<RuleProblem>* problems)
      : language_(language), reader_([this, problems](uint32_t line, std::string text) {
          if (problems->size() >= kRuleProblemsMax) return;
          RuleProblem& problem = problems->emplace_back(where_);
          problem.line = line;
          problem.text = std::move(text);
        }) {}

  std::vector<DecodedGroup> File(const YamlNode& root);
  DecodedGroup Group(const YamlNode& node);

 private:
  void Type(const YamlNode& node, std::optional<RuleLanguage>* type);
  void Alarm(const YamlNode& node, std::optional<AlarmSpec>* alarm);
  void ReadRule(const YamlNode& node, std::optional<RuleLanguage> group_type, DecodedGroup* into);

  const RuleLanguage language_;
  RuleProblem where_;  // the group and rule that are being read
  const YamlReader reader_;
};

void RuleDecoder::Type(const YamlNode& node, std::optional<RuleLanguage>* type) {
  for (const RuleLanguage language : {RuleLanguage::kPromql, RuleLanguage::kLogql}) {
    if (node.is_scalar() && node.text == RuleLanguageName(language)) {
      *type = language;
      return;
    }
  }
  reader_.Problem(node.line, "'type' must be promql or logql");
}

void RuleDecoder::Alarm(const YamlNode& node, std::optional<AlarmSpec>* alarm) {
  int64_t periods = 1;
  std::optional<int64_t> datapoints;
  uint32_t datapoints_line = node.line;
  AlarmSpec spec;
  const auto treat_missing = [&](const YamlNode& value) {
    for (const TreatMissing treat : {TreatMissing::kMissing, TreatMissing::kIgnore, TreatMissing::kBreaching,
                                     TreatMissing::kNotBreaching}) {
      if (value.is_scalar() && value.text == TreatMissingName(treat)) {
        spec.treat_missing = treat;
        return;
      }
    }
    reader_.Problem(value.line, "'treat_missing' must be missing, ignore, breaching or not_breaching");
  };
  reader_.Map(node, "'alarm'",
      {{"evaluation_periods",
        [&](const YamlNode& value) { reader_.Integer(value, "evaluation_periods", 1, kAlarmPeriodsMax, &periods); }},
       {"datapoints_to_alarm",
        [&](const YamlNode& value) {
          datapoints_line = value.line;
          reader_.Integer(value, "datapoints_to_alarm", 1, kAlarmPeriodsMax, &datapoints.emplace(1));
        }},
       {"treat_missing", treat_missing},
       {"notify_insufficient_data",
        [&](const YamlNode& value) { reader_.Flag(value, "notify_insufficient_data", &spec.notify_insufficient_data); }}});
  if (datapoints && *datapoints > periods) {
    reader_.Problem(datapoints_line, "'datapoints_to_alarm' is more than 'evaluation_periods'");
  }
  spec.evaluation_periods = static_cast<uint32_t>(periods);
  spec.datapoints_to_alarm = static_cast<uint32_t>(datapoints.value_or(periods));
  *alarm = spec;
}

void RuleDecoder::ReadRule(const YamlNode& node, std::optional<RuleLanguage> group_type, DecodedGroup* into) {
  Rule rule;
  RuleLines lines;
  std::optional<RuleLanguage> type = group_type;
  rule.line = node.line;
  const auto text = [&](std::string_view key, std::string* value, uint32_t* line) {
    return YamlReader::Field{key, [this, key, value, line](const YamlNode& from) {
                               *line = from.line;
                               reader_.Text(from, key, value);
                             }};
  };
  // Its name first: it stands in the errors of all keys.
  for (const std::string_view key : {"alert", "record"}) {
    const YamlNode* name = node.Find(key);
    if (name != nullptr && name->is_scalar() && where_.rule_name.empty()) where_.rule_name = name->text;
  }
  reader_.Map(node, "a rule",
              {text("record", &rule.record, &lines.record), text("alert", &rule.alert, &lines.alert),
               text("expr", &rule.expr, &lines.expr), reader_.DurationField("for", &rule.for_ms),
               reader_.DurationField("keep_firing_for", &rule.keep_firing_for_ms),
               reader_.LabelsField("labels", &rule.labels), reader_.LabelsField("annotations", &rule.annotations),
               {"type", [&](const YamlNode& from) { Type(from, &type); }},
               {"alarm", [&](const YamlNode& from) { Alarm(from, &rule.alarm); }}});
  rule.language = type.value_or(language_);
  rule.language_given = type.has_value();
  into->group.rules.push_back(std::move(rule));
  into->lines.push_back(lines);
}

DecodedGroup RuleDecoder::Group(const YamlNode& node) {
  DecodedGroup decoded;
  RuleGroup& group = decoded.group;
  group.line = node.line;
  where_ = RuleProblem();
  where_.in_group = true;
  const YamlNode* name = node.Find("name");
  if (name != nullptr && name->is_scalar()) where_.group = name->text;
  const YamlNode* rules = nullptr;
  int64_t interval_ms = 0;
  int64_t limit = 0;
  std::optional<RuleLanguage> type;
  reader_.Map(
      node, "a group",
      {reader_.TextField("name", &group.name), reader_.DurationField("interval", &interval_ms),
       {"query_offset",
        [&](const YamlNode& from) { reader_.Duration(from, "query_offset", &group.query_offset_ms.emplace(0)); }},
       {"limit",
        [&](const YamlNode& from) {
          reader_.Integer(from, "limit", std::numeric_limits<int64_t>::min(), std::numeric_limits<uint32_t>::max(),
                          &limit);
        }},
       reader_.LabelsField("labels", &group.labels),
       {"type", [&](const YamlNode& from) { Type(from, &type); }},
       {"rules", [&](const YamlNode& from) { rules = &from; }}},
      {{"remote_write", kOwnTenantOnly}, {"source_tenants", kOwnTenantOnly}});
  if (interval_ms > 0) group.interval_ms = interval_ms;
  group.limit = static_cast<uint32_t>(std::max<int64_t>(limit, 0));  // Prometheus: not positive is none
  decoded.type_given = type.has_value();
  if (rules == nullptr) return decoded;
  reader_.List(*rules, "'rules'", [&](const YamlNode& one) {
    ++where_.rule;
    where_.rule_name.clear();
    ReadRule(one, type, &decoded);
  });
  return decoded;
}

std::vector<DecodedGroup> RuleDecoder::File(const YamlNode& root) {
  std::vector<DecodedGroup> groups;
  if (root.is_null()) return groups;
  const auto one_group = [&](const YamlNode& one) {
    groups.push_back(Group(one));
    where_ = RuleProblem();
  };
  reader_.Map(root, "a rule file",
              {{"groups", [&](const YamlNode& list) { reader_.List(list, "'groups'", one_group); }}});
  return groups;
}

}  // namespace

std::vector<DecodedGroup> DecodeRuleFile(const YamlNode& root, RuleLanguage language,
                                         std::vector<RuleProblem>* problems) {
  return RuleDecoder(language, problems).File(root);
}

DecodedGroup DecodeRuleGroup(const YamlNode& node, RuleLanguage language, std::vector<RuleProblem>* problems) {
  return RuleDecoder(language, problems).Group(node);
}

}  // namespace varve
