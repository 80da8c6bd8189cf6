#include "http/rule_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/base/json_writer.h"
#include "http/alerting_json.h"

namespace varve {
namespace {

std::string_view HealthName(RuleHealth health) {
  switch (health) {
    case RuleHealth::kUnknown: return "unknown";
    case RuleHealth::kOk: return "ok";
    case RuleHealth::kError: return "err";
  }
  return "unknown";
}

// As Go's FormatFloat(v, 'e', -1, 64): 1e+00.
std::string ScientificText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char buffer[40];
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  return {buffer, result.ptr};
}

// Without the blanks around it that YAML's blocks leave.
std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Writes the members of an object.
class Members {
 public:
  explicit Members(std::string* out) : out_(out) { out_->push_back('{'); }
  void Text(std::string_view name, std::string_view value) {
    Name(name);
    AppendJsonString(out_, value);
  }
  void Number(std::string_view name, double value) {
    Name(name);
    AppendJsonNumber(out_, value);
  }
  void Labels(std::string_view name, const LabelMap& labels) {
    Name(name);
    AppendLabelMapJson(out_, labels);
  }
  void Time(std::string_view name, int64_t ms) {
    Name(name);
    AppendGoTimeJson(out_, ms);
  }
  void Name(std::string_view name) {
    if (out_->back() != '{') out_->push_back(',');
    AppendJsonString(out_, name);
    out_->push_back(':');
  }
  void End() { out_->push_back('}'); }

 private:
  std::string* const out_;
};

void AppendAlert(std::string* out, const ActiveAlert& alert, RuleJsonForm form) {
  Members members(out);
  members.Labels("labels", alert.labels);
  members.Labels("annotations", alert.annotations);
  members.Text("state", AlertStateName(alert.state));
  members.Time("activeAt", alert.active_at_ms);
  if (form == RuleJsonForm::kPrometheus && alert.keep_firing_since_ms != 0) {
    members.Time("keepFiringSince", alert.keep_firing_since_ms);
  }
  members.Text("value", ScientificText(alert.value));
  members.End();
}

void AppendRuleAlerts(std::string* out, const RuleStatus& status, RuleJsonForm form) {
  for (const ActiveAlert& alert : status.alerts) {
    if (alert.state == AlertState::kInactive) continue;
    if (out->back() != '[') out->push_back(',');
    AppendAlert(out, alert, form);
  }
}

// What is told of every rule's last evaluation, in the order of the form.
void AppendEvaluation(Members* members, const RuleStatus& status, RuleJsonForm form) {
  const std::string_view type = status.rule.recording() ? "recording" : "alerting";
  members->Text("health", HealthName(status.health));
  if (form == RuleJsonForm::kLoki || !status.last_error.empty()) members->Text("lastError", status.last_error);
  if (form == RuleJsonForm::kLoki) {
    members->Text("type", type);
    members->Time("lastEvaluation", status.last_evaluation_ms);
    members->Number("evaluationTime", status.evaluation_seconds);
  } else {
    members->Number("evaluationTime", status.evaluation_seconds);
    members->Time("lastEvaluation", status.last_evaluation_ms);
    members->Text("type", type);
  }
}

void AppendRule(std::string* out, const RuleStatus& status, const LabelMap& labels, const RuleFilter& filter,
                RuleJsonForm form) {
  const Rule& rule = status.rule;
  Members members(out);
  if (!rule.recording()) {
    const bool unseen = form == RuleJsonForm::kPrometheus && status.last_evaluation_ms == 0;
    members.Text("state", unseen ? "unknown" : AlertStateName(status.state));
  }
  members.Text("name", rule.name());
  members.Text("query", Trimmed(rule.expr));
  if (!rule.recording()) {
    members.Number("duration", static_cast<double>(rule.for_ms) / 1e3);
    if (form == RuleJsonForm::kPrometheus) {
      members.Number("keepFiringFor", static_cast<double>(rule.keep_firing_for_ms) / 1e3);
    }
  }
  members.Labels("labels", labels);
  if (!rule.recording()) {
    members.Labels("annotations", rule.annotations);
    members.Name("alerts");
    if (filter.exclude_alerts) {
      out->append("null");
    } else {
      out->push_back('[');
      AppendRuleAlerts(out, status, form);
      out->push_back(']');
    }
  }
  AppendEvaluation(&members, status, form);
  members.End();
}

void AppendGroupMembers(Members* members, const GroupStatus& group, RuleJsonForm form) {
  members->Number("interval", static_cast<double>(group.interval_ms) / 1e3);
  members->Number("limit", group.group.limit);
  if (form == RuleJsonForm::kLoki) members->Time("lastEvaluation", group.last_evaluation_ms);
  members->Number("evaluationTime", group.evaluation_seconds);
  if (form == RuleJsonForm::kPrometheus) members->Time("lastEvaluation", group.last_evaluation_ms);
}

template <typename Set>
bool Takes(const Set& set, const std::string& value) {
  return set.empty() || set.contains(value);
}

// Those of the group are below the rule's own.
LabelMap LabelsOf(const RuleGroup& group, const Rule& rule) {
  LabelMap labels = rule.labels;
  labels.insert(group.labels.begin(), group.labels.end());
  return labels;
}

bool MatchesAnySet(const std::vector<std::vector<Matcher>>& sets, const LabelMap& labels) {
  const auto matches = [&](const Matcher& matcher) {
    const auto found = labels.find(matcher.name());
    return matcher.Matches(found == labels.end() ? std::string_view() : std::string_view(found->second));
  };
  return sets.empty() || std::any_of(sets.begin(), sets.end(), [&](const std::vector<Matcher>& set) {
           return std::all_of(set.begin(), set.end(), matches);
         });
}

}  // namespace

bool RuleFilter::TakesGroup(const RuleGroup& group) const {
  return Takes(groups, group.name) && Takes(files, group.file);
}

bool RuleFilter::TakesRule(const Rule& rule) const {
  return (rule.recording() ? recording : alerting) && Takes(names, rule.name());
}

bool AppendGroupJson(std::string* out, const GroupStatus& group, const RuleFilter& filter, RuleJsonForm form) {
  if (!filter.TakesGroup(group.group)) return false;
  std::string rules = "[";
  for (const RuleStatus& status : group.rules) {
    if (!filter.TakesRule(status.rule)) continue;
    const LabelMap labels = LabelsOf(group.group, status.rule);
    if (!MatchesAnySet(filter.matchers, labels)) continue;
    if (rules.back() != '[') rules.push_back(',');
    AppendRule(&rules, status, labels, filter, form);
  }
  if (rules.size() == 1) return false;
  Members members(out);
  members.Text("name", group.group.name);
  members.Text("file", group.group.file);
  members.Name("rules");
  out->append(rules).push_back(']');
  AppendGroupMembers(&members, group, form);
  members.End();
  return true;
}

void AppendAlertsJson(std::string* out, const std::vector<GroupStatus>& groups, RuleJsonForm form) {
  for (const GroupStatus& group : groups) {
    for (const RuleStatus& status : group.rules) AppendRuleAlerts(out, status, form);
  }
}

}  // namespace varve
