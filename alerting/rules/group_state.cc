#include "alerting/rules/group_state.h"

#include <iterator>
#include <map>
#include <utility>

#include "alerting/rules/alert_records.h"
#include "engine/base/bytes.h"

namespace varve {
namespace {

constexpr std::string_view kAlertsMetric = "ALERTS";
constexpr std::string_view kForStateMetric = "ALERTS_FOR_STATE";

void FindTemplates(const LabelMap& texts, RuleState* state) {
  for (const auto& [name, text] : texts) {
    if (text.find("{{") == std::string::npos) continue;
    state->templated = true;
    state->asks_in_template = state->asks_in_template || text.find("query") != std::string::npos;
  }
}

// What makes a rule the same one when a file is read again.
std::string Identity(const Rule& rule) {
  std::string identity = rule.recording() ? "record" : "alert";
  PutLengthPrefixed(&identity, rule.name());
  for (const auto& [name, value] : rule.labels) {
    PutLengthPrefixed(&identity, name);
    PutLengthPrefixed(&identity, value);
  }
  return identity;
}

}  // namespace

std::vector<RuleState> MakeRuleStates(const RuleGroup& group) {
  std::vector<RuleState> states;
  states.reserve(group.rules.size());
  std::map<std::string, uint64_t> seen;
  for (const Rule& rule : group.rules) {
    RuleState state;
    state.rule = rule;
    state.rule.labels.insert(group.labels.begin(), group.labels.end());
    const std::string identity = Identity(state.rule);
    state.id = RuleId(identity, seen[identity]++);
    Result<std::unique_ptr<const RuleQuery>> query = RuleQuery::Parse(rule.expr, rule.language);
    if (query.ok()) {
      state.query = *std::move(query);
    } else {
      state.parse_error = std::move(query).status();
    }
    if (rule.alarm.has_value() && state.query != nullptr) {
      Result<std::unique_ptr<const RuleQuery>> presence = RuleQuery::ParseWithBool(rule.expr, rule.language);
      if (presence.ok()) state.presence = *std::move(presence);
    }
    if (!rule.recording()) {
      FindTemplates(state.rule.labels, &state);
      FindTemplates(state.rule.annotations, &state);
    }
    states.push_back(std::move(state));
  }
  return states;
}

PackedLabels AlertSeries(const LabelMap& labels, AlertState state) {
  PackedLabelsBuilder builder(PackLabels(labels));
  builder.Set(kMetricName, kAlertsMetric);
  builder.Set("alertstate", AlertStateName(state));
  return builder.Build();
}

PackedLabels ForStateSeries(const LabelMap& labels) {
  PackedLabelsBuilder builder(PackLabels(labels));
  builder.Set(kMetricName, kForStateMetric);
  return builder.Build();
}

void AddLiveSeries(const GroupState& group, std::vector<PackedLabels>* series) {
  for (const RuleState& rule : group.rules) {
    series->insert(series->end(), rule.recorded.begin(), rule.recorded.end());
    for (const auto& [key, alert] : rule.alerts.alerts()) {
      if (!alert.active()) continue;
      series->push_back(AlertSeries(alert.labels, alert.state));
      series->push_back(ForStateSeries(alert.labels));
    }
  }
}

void TakeOverState(GroupState* old, GroupState* fresh) {
  std::map<std::string_view, RuleState*> by_id;
  for (RuleState& rule : old->rules) by_id.emplace(rule.id, &rule);
  for (RuleState& rule : fresh->rules) {
    const auto at = by_id.find(rule.id);
    if (at == by_id.end()) continue;
    RuleState& from = *at->second;
    rule.health = from.health;
    rule.last_error = std::move(from.last_error);
    rule.last_evaluation_ms = from.last_evaluation_ms;
    rule.evaluation_seconds = from.evaluation_seconds;
    rule.alerts = std::move(from.alerts);
    if (rule.rule.alarm.has_value()) rule.alarms = std::exchange(from.alarms, AlarmTable());
    rule.recorded = std::move(from.recorded);
    rule.recorded_known = from.recorded_known;
    rule.ended = std::move(from.ended);
    from.alerts = AlertTable();
    from.recorded.clear();
    from.ended.clear();
  }
  // What nobody took over has ended.
  AddLiveSeries(*old, &old->ended);
  for (RuleState& rule : old->rules) {
    std::move(rule.ended.begin(), rule.ended.end(), std::back_inserter(old->ended));
    AddRecordKeys(old->id, rule, &old->records_to_remove);
  }
  fresh->ended = std::move(old->ended);
  fresh->lines = std::move(old->lines);
  fresh->records_to_remove = std::move(old->records_to_remove);
  fresh->last_iteration_ms = old->last_iteration_ms;
  fresh->last_sample_ms = old->last_sample_ms;
  fresh->last_evaluation_ms = old->last_evaluation_ms;
  fresh->evaluation_seconds = old->evaluation_seconds;
}

}  // namespace varve
