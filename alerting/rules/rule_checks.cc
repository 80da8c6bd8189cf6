#include "alerting/rules/rule_checks.h"

#include <string>
#include <utility>

#include "alerting/rules/rule_expression.h"
#include "alerting/rules/rule_template.h"
#include "engine/model/labels.h"
#include "query/promql/syntax/number_text.h"

namespace varve {
namespace {

constexpr std::string_view kNameLabel = "__name__";

bool IsLegacyMetricName(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':'; };
  if (name.empty() || !letter(name[0])) return false;
  for (const char c : name) {
    if (!letter(c) && (c < '0' || c > '9')) return false;
  }
  return true;
}

class RuleChecker {
 public:
  RuleChecker(const RuleCheckOptions& options, DecodedGroup* decoded, std::vector<RuleProblem>* problems)
      : options_(options), decoded_(*decoded), problems_(problems) {}

  void Check() {
    where_.in_group = true;
    where_.group = decoded_.group.name;
    Labels(decoded_.group.line, decoded_.group.labels);
    for (size_t i = 0; i < decoded_.group.rules.size(); ++i) {
      Rule& rule = decoded_.group.rules[i];
      where_.rule = static_cast<uint32_t>(i + 1);
      where_.rule_name = rule.alert.empty() ? rule.record : rule.alert;
      OneRule(&rule, decoded_.lines[i]);
    }
  }

 private:
  void Problem(uint32_t line, std::string text, bool expression = false) {
    if (problems_->size() >= kRuleProblemsMax) return;
    RuleProblem& problem = problems_->emplace_back(where_);
    problem.line = line;
    problem.text = std::move(text);
    problem.expression = expression;
  }

  bool ValidName(std::string_view name) const {
    if (options_.legacy_names) return IsValidLabelName(name);
    return !name.empty() && promql::IsValidUtf8(name);
  }

  void Labels(uint32_t line, const LabelMap& labels) {
    for (const auto& [name, value] : labels) {
      if (!ValidName(name) || name == kNameLabel) Problem(line, "invalid label name: " + name);
    }
  }

  void OneRule(Rule* rule, const RuleLines& lines) {
    const uint32_t named = lines.alert != 0 ? lines.alert : lines.record != 0 ? lines.record : rule->line;
    if (!rule->record.empty() && !rule->alert.empty()) {
      Problem(named, "only one of 'record' and 'alert' must be set");
    } else if (rule->record.empty() && rule->alert.empty()) {
      Problem(rule->line, "one of 'record' or 'alert' must be set");
    }
    Expression(rule, lines.expr != 0 ? lines.expr : rule->line);
    if (!rule->record.empty()) Recording(*rule, lines.record);
    if (rule->alarm && (rule->for_ms != 0 || rule->keep_firing_for_ms != 0)) {
      Problem(rule->line, "'alarm' goes with neither 'for' nor 'keep_firing_for': its periods take their place");
    }
    Labels(rule->line, rule->labels);
    for (const auto& [name, value] : rule->annotations) {
      if (!ValidName(name)) Problem(rule->line, "invalid annotation name: " + name);
    }
    if (rule->alert.empty()) return;
    Templates(*rule, "label", rule->labels);
    Templates(*rule, "annotation", rule->annotations);
  }

  void Templates(const Rule& rule, std::string_view what, const LabelMap& texts) {
    for (const auto& [name, text] : texts) {
      const Status status = CheckRuleTemplate("__alert_" + rule.alert, text);
      if (!status.ok()) Problem(rule.line, std::string(what) + " " + GoQuoted(name) + ": " + status.message());
    }
  }

  void Expression(Rule* rule, uint32_t line) {
    if (rule->expr.empty()) return Problem(line, "field 'expr' must be set in rule");
    Status status;
    if (rule->language_given) {
      status = CheckRuleExpression(rule->expr, rule->language);
    } else {
      RuleExpression chosen = ChooseRuleLanguage(rule->expr, options_.language);
      rule->language = chosen.language;
      status = std::move(chosen.status);
    }
    if (!status.ok()) return Problem(line, status.message(), true);
    if (rule->language == RuleLanguage::kLogql && !options_.accept_log_lines && IsLogLines(rule->expr)) {
      Problem(line, "the expression gives log lines; a rule needs a metric query such as count_over_time(… [5m])");
    }
  }

  void Recording(const Rule& rule, uint32_t line) {
    if (!rule.annotations.empty()) Problem(line, "invalid field 'annotations' in recording rule");
    if (rule.for_ms != 0) Problem(line, "invalid field 'for' in recording rule");
    if (rule.keep_firing_for_ms != 0) Problem(line, "invalid field 'keep_firing_for' in recording rule");
    if (rule.alarm) Problem(line, "invalid field 'alarm' in recording rule");
    const bool braces = rule.record.find_first_of("{}") != std::string::npos;
    if (options_.legacy_names ? !IsLegacyMetricName(rule.record) : !promql::IsValidUtf8(rule.record)) {
      Problem(line, "invalid recording rule name: " + rule.record);
    } else if (braces) {
      Problem(line, "braces present in the recording rule name; should it be in expr?: " + rule.record);
    }
  }

  const RuleCheckOptions& options_;
  DecodedGroup& decoded_;
  std::vector<RuleProblem>* const problems_;
  RuleProblem where_;
};

}  // namespace

void CheckRules(const RuleCheckOptions& options, DecodedGroup* decoded, std::vector<RuleProblem>* problems) {
  RuleChecker(options, decoded, problems).Check();
}

}  // namespace varve
