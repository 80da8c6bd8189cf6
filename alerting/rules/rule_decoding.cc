#include "alerting/rules/rule_decoding.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <utility>

#include "engine/base/time.h"
#include "engine/model/labels.h"
#include "query/promql/syntax/number_text.h"

namespace varve {
namespace {

class RuleDecoder {
 public:
  RuleDecoder(RuleLanguage language, std::vector<RuleProblem>* problems)
      : language_(language), problems_(problems) {}

  std::vector<DecodedGroup> File(const YamlNode& root);
  DecodedGroup Group(const YamlNode& node);

 private:
  struct Field {
    std::string_view key;
    std::function<void(const YamlNode&)> read;
  };

  void Problem(uint32_t line, std::string text);
  // Calls the field of every key that has a value; null is as if the key were not there.
  void Map(const YamlNode& node, std::string_view what, const std::vector<Field>& fields);
  void List(const YamlNode& node, std::string_view what, const std::function<void(const YamlNode&)>& item);
  void Unknown(const YamlNode& key, const std::vector<Field>& fields);

  void Text(const YamlNode& node, std::string_view key, std::string* value);
  void Duration(const YamlNode& node, std::string_view key, int64_t* ms);
  void Integer(const YamlNode& node, std::string_view key, int64_t min, int64_t max, int64_t* value);
  void Flag(const YamlNode& node, std::string_view key, bool* value);
  void Labels(const YamlNode& node, std::string_view key, LabelMap* labels);
  void Type(const YamlNode& node, std::optional<RuleLanguage>* type);
  void Alarm(const YamlNode& node, std::optional<AlarmSpec>* alarm);
  void ReadRule(const YamlNode& node, std::optional<RuleLanguage> group_type, DecodedGroup* into);

  const RuleLanguage language_;
  std::vector<RuleProblem>* const problems_;
  RuleProblem where_;  // the group and rule that are being read
};

void RuleDecoder::Problem(uint32_t line, std::string text) {
  RuleProblem problem = where_;
  problem.line = line;
  problem.text = std::move(text);
  problems_->push_back(std::move(problem));
}

void RuleDecoder::Unknown(const YamlNode& key, const std::vector<Field>& fields) {
  std::string text = "unknown key " + GoQuoted(key.text);
  if (key.text == "remote_write" || key.text == "source_tenants") {
    text = "key " + GoQuoted(key.text) + " is not supported: rules read and write their own tenant of this server";
  } else {
    text += ", known are";
    for (size_t i = 0; i < fields.size(); ++i) text += (i == 0 ? " " : ", ") + std::string(fields[i].key);
  }
  Problem(key.line, std::move(text));
}

void RuleDecoder::Map(const YamlNode& node, std::string_view what, const std::vector<Field>& fields) {
  if (!node.is_map()) {
    return Problem(node.line, std::string(what) + " must be a map, not " + std::string(YamlKindName(node)));
  }
  for (size_t i = 0; i < node.keys.size(); ++i) {
    const auto field = std::find_if(fields.begin(), fields.end(),
                                    [&](const Field& one) { return one.key == node.keys[i].text; });
    if (field == fields.end()) {
      Unknown(node.keys[i], fields);
    } else if (!node.items[i].is_null()) {
      field->read(node.items[i]);
    }
  }
}

void RuleDecoder::List(const YamlNode& node, std::string_view what,
                       const std::function<void(const YamlNode&)>& item) {
  if (!node.is_sequence()) {
    return Problem(node.line, std::string(what) + " must be a list, not " + std::string(YamlKindName(node)));
  }
  for (const YamlNode& one : node.items) item(one);
}

void RuleDecoder::Text(const YamlNode& node, std::string_view key, std::string* value) {
  if (node.is_scalar()) {
    *value = node.text;
    return;
  }
  std::string text = "'" + std::string(key) + "' must be a text, not " + std::string(YamlKindName(node));
  // What `summary: {{ $value }}` is to YAML.
  if (node.is_map()) text += " (text that begins with { needs quotes)";
  Problem(node.line, std::move(text));
}

void RuleDecoder::Duration(const YamlNode& node, std::string_view key, int64_t* ms) {
  std::string text;
  const size_t before = problems_->size();
  Text(node, key, &text);
  if (problems_->size() > before) return;
  const Result<int64_t> ns = promql::ParseDurationNs(text);
  if (!ns.ok()) return Problem(node.line, "'" + std::string(key) + "': " + ns.status().message());
  *ms = ns.value() / kNsPerMs;
}

void RuleDecoder::Integer(const YamlNode& node, std::string_view key, int64_t min, int64_t max, int64_t* value) {
  int64_t parsed = 0;
  const char* end = node.text.data() + node.text.size();
  const auto [stop, error] = std::from_chars(node.text.data(), end, parsed);
  if (!node.is_scalar() || error != std::errc() || stop != end || parsed < min || parsed > max) {
    std::string range = " must be a whole number";
    if (min > std::numeric_limits<int64_t>::min()) range += " from " + std::to_string(min);
    return Problem(node.line, "'" + std::string(key) + "'" + range + " to " + std::to_string(max));
  }
  *value = parsed;
}

void RuleDecoder::Flag(const YamlNode& node, std::string_view key, bool* value) {
  if (!node.is_scalar() || (node.text != "true" && node.text != "false")) {
    return Problem(node.line, "'" + std::string(key) + "' must be true or false");
  }
  *value = node.text == "true";
}

void RuleDecoder::Labels(const YamlNode& node, std::string_view key, LabelMap* labels) {
  if (!node.is_map()) {
    return Problem(node.line, "'" + std::string(key) + "' must be a map, not " + std::string(YamlKindName(node)));
  }
  for (size_t i = 0; i < node.keys.size(); ++i) {
    std::string value;
    if (!node.items[i].is_null()) Text(node.items[i], std::string(key) + "." + node.keys[i].text, &value);
    labels->insert_or_assign(node.keys[i].text, std::move(value));
  }
}

void RuleDecoder::Type(const YamlNode& node, std::optional<RuleLanguage>* type) {
  for (const RuleLanguage language : {RuleLanguage::kPromql, RuleLanguage::kLogql}) {
    if (node.is_scalar() && node.text == RuleLanguageName(language)) {
      *type = language;
      return;
    }
  }
  Problem(node.line, "'type' must be promql or logql");
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
    Problem(value.line, "'treat_missing' must be missing, ignore, breaching or not_breaching");
  };
  Map(node, "'alarm'",
      {{"evaluation_periods",
        [&](const YamlNode& value) { Integer(value, "evaluation_periods", 1, kAlarmPeriodsMax, &periods); }},
       {"datapoints_to_alarm",
        [&](const YamlNode& value) {
          datapoints_line = value.line;
          Integer(value, "datapoints_to_alarm", 1, kAlarmPeriodsMax, &datapoints.emplace(1));
        }},
       {"treat_missing", treat_missing},
       {"notify_insufficient_data",
        [&](const YamlNode& value) { Flag(value, "notify_insufficient_data", &spec.notify_insufficient_data); }}});
  if (datapoints && *datapoints > periods) {
    Problem(datapoints_line, "'datapoints_to_alarm' is more than 'evaluation_periods'");
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
    return Field{key, [this, key, value, line](const YamlNode& from) {
                   *line = from.line;
                   Text(from, key, value);
                 }};
  };
  // Its name first: it stands in the errors of all keys.
  for (const std::string_view key : {"alert", "record"}) {
    const YamlNode* name = node.Find(key);
    if (name != nullptr && name->is_scalar() && where_.rule_name.empty()) where_.rule_name = name->text;
  }
  const auto duration = [&](std::string_view key, int64_t* ms) {
    return Field{key, [this, key, ms](const YamlNode& from) { Duration(from, key, ms); }};
  };
  const auto labels = [&](std::string_view key, LabelMap* map) {
    return Field{key, [this, key, map](const YamlNode& from) { Labels(from, key, map); }};
  };
  Map(node, "a rule",
      {text("record", &rule.record, &lines.record), text("alert", &rule.alert, &lines.alert),
       text("expr", &rule.expr, &lines.expr), duration("for", &rule.for_ms),
       duration("keep_firing_for", &rule.keep_firing_for_ms), labels("labels", &rule.labels),
       labels("annotations", &rule.annotations), {"type", [&](const YamlNode& from) { Type(from, &type); }},
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
  Map(node, "a group",
      {{"name", [&](const YamlNode& from) { Text(from, "name", &group.name); }},
       {"interval", [&](const YamlNode& from) { Duration(from, "interval", &interval_ms); }},
       {"query_offset",
        [&](const YamlNode& from) { Duration(from, "query_offset", &group.query_offset_ms.emplace(0)); }},
       {"limit",
        [&](const YamlNode& from) {
          Integer(from, "limit", std::numeric_limits<int64_t>::min(), std::numeric_limits<uint32_t>::max(), &limit);
        }},
       {"labels", [&](const YamlNode& from) { Labels(from, "labels", &group.labels); }},
       {"type", [&](const YamlNode& from) { Type(from, &type); }},
       {"rules", [&](const YamlNode& from) { rules = &from; }}});
  if (interval_ms > 0) group.interval_ms = interval_ms;
  group.limit = static_cast<uint32_t>(std::max<int64_t>(limit, 0));  // Prometheus: not positive is none
  decoded.type_given = type.has_value();
  if (rules == nullptr) return decoded;
  List(*rules, "'rules'", [&](const YamlNode& one) {
    ++where_.rule;
    where_.rule_name.clear();
    ReadRule(one, type, &decoded);
  });
  return decoded;
}

std::vector<DecodedGroup> RuleDecoder::File(const YamlNode& root) {
  std::vector<DecodedGroup> groups;
  if (root.is_null()) return groups;
  Map(root, "a rule file", {{"groups", [&](const YamlNode& list) {
                               List(list, "'groups'", [&](const YamlNode& one) {
                                 groups.push_back(Group(one));
                                 where_ = RuleProblem();
                               });
                             }}});
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
