#include "alerting/rules/alarm.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "engine/base/json_writer.h"

namespace varve {
namespace {

// Values that a reason lists.
constexpr size_t kReasonValuesMax = 10;

struct WindowCounts {
  uint32_t breaching = 0;
  uint32_t fine = 0;
  uint32_t missing = 0;
  size_t oldest_breaching = 0;  // periods ago, from 1
};

WindowCounts CountWindow(const std::deque<Datapoint>& window) {
  WindowCounts counts;
  for (size_t i = 0; i < window.size(); ++i) {
    switch (window[i].kind) {
      case DatapointKind::kMissing: ++counts.missing; break;
      case DatapointKind::kFine: ++counts.fine; break;
      case DatapointKind::kBreaching:
        ++counts.breaching;
        if (counts.oldest_breaching == 0) counts.oldest_breaching = window.size() - i;
        break;
    }
  }
  return counts;
}

// "2 of the last 3 datapoints were breaching (12, 15), 1 was missing"
std::string Describe(const std::deque<Datapoint>& window, const WindowCounts& counts) {
  const auto were = [](uint32_t n) { return n == 1 ? " was " : " were "; };
  std::string text = std::to_string(counts.breaching) + " of the last " + std::to_string(window.size()) +
                     (window.size() == 1 ? " datapoint" : " datapoints") + were(counts.breaching) + "breaching";
  size_t listed = 0;
  for (const Datapoint& point : window) {
    if (point.kind != DatapointKind::kBreaching || listed == kReasonValuesMax) continue;
    text += listed++ == 0 ? " (" : ", ";
    AppendGoFloat(&text, point.value);
  }
  if (listed != 0) text += ')';
  if (counts.missing != 0) text += ", " + std::to_string(counts.missing) + were(counts.missing) + "missing";
  return text;
}

bool SameRecord(const Alarm& a, const Alarm& b) {
  return a.state == b.state && a.since_ms == b.since_ms && a.window == b.window && a.placeholder == b.placeholder &&
         std::bit_cast<uint64_t>(a.value) == std::bit_cast<uint64_t>(b.value) && a.reason == b.reason &&
         a.annotations == b.annotations;
}

}  // namespace

AlarmVerdict JudgeAlarm(const std::deque<Datapoint>& window, const AlarmSpec& spec, AlarmState before) {
  const WindowCounts counts = CountWindow(window);
  const std::string text = Describe(window, counts);
  uint32_t breaching = counts.breaching;
  switch (spec.treat_missing) {
    case TreatMissing::kBreaching:
      breaching += counts.missing;
      if (counts.missing != 0 && breaching >= spec.datapoints_to_alarm) {
        return {AlarmState::kAlarm, text + ", which counts as breaching"};
      }
      [[fallthrough]];
    case TreatMissing::kNotBreaching:
      return {breaching >= spec.datapoints_to_alarm ? AlarmState::kAlarm : AlarmState::kOk, text};
    case TreatMissing::kMissing:
    case TreatMissing::kIgnore: break;
  }
  if (breaching >= spec.datapoints_to_alarm) return {AlarmState::kAlarm, text};
  const bool ignore = spec.treat_missing == TreatMissing::kIgnore;
  const std::string kept = text + ": the state stays as it is";
  if (counts.breaching == 0 && counts.fine == 0) {
    if (ignore) return {before, kept};
    return {AlarmState::kInsufficientData, "no datapoint in the last " + std::to_string(window.size()) +
                                               (window.size() == 1 ? " period" : " periods")};
  }
  if (counts.fine == 0 && counts.oldest_breaching >= spec.datapoints_to_alarm) {
    if (ignore) return {before, kept};
    return {AlarmState::kAlarm, text + ", and none was fine"};
  }
  return {AlarmState::kOk, text};
}

void AlarmTable::Forget(int64_t ts_ms, const std::map<PackedLabels, AlarmObservation>& observed) {
  std::erase_if(alarms_, [&](const auto& item) {
    const auto& [key, alarm] = item;
    const bool replaced = alarm.placeholder && !observed.empty();
    const bool outdated = !alarm.placeholder && alarm.state != AlarmState::kAlarm && ts_ms - alarm.last_seen_ms > kAlarmForgottenMs;
    if ((!replaced && !outdated) || observed.contains(key)) return false;
    dirty_.insert(key);
    return true;
  });
}

void AlarmTable::Step(int64_t ts_ms, const AlarmSpec& spec, std::map<PackedLabels, AlarmObservation> observed,
                      const SeenAlert& nothing_seen, std::vector<AlarmChange>* changes) {
  const auto add = [&](const PackedLabels& key, const LabelMap& labels, bool placeholder) {
    const auto [at, added] = alarms_.try_emplace(key);
    if (!added) return;
    at->second.labels = labels;
    at->second.since_ms = ts_ms;
    at->second.last_seen_ms = ts_ms;
    at->second.placeholder = placeholder;
    at->second.reason = "nothing was seen yet";
    dirty_.insert(key);
  };
  for (const auto& [key, observation] : observed) add(key, observation.alert.labels, false);
  if (alarms_.empty()) add(PackLabels(nothing_seen.labels), nothing_seen.labels, true);
  for (auto& [key, alarm] : alarms_) {
    const auto seen = observed.find(key);
    const bool missing = seen == observed.end();
    const Alarm before = alarm;
    // Done again at the same time, it replaces what it gave.
    if (alarm.last_datapoint_ms == ts_ms && !alarm.window.empty()) alarm.window.pop_back();
    Datapoint point;
    if (!missing) {
      SeenAlert& alert = seen->second.alert;
      const bool breaching = seen->second.breaching;
      point = {breaching ? DatapointKind::kBreaching : DatapointKind::kFine, breaching ? alert.value : 0};
      alarm.placeholder = false;
      alarm.last_seen_ms = ts_ms;
      // The value of one that is fine is not known.
      if (breaching) alarm.value = alert.value;
      if (breaching || alarm.annotations.empty()) alarm.annotations = std::move(alert.annotations);
    }
    alarm.window.push_back(point);
    while (alarm.window.size() > spec.evaluation_periods) alarm.window.pop_front();
    alarm.last_datapoint_ms = ts_ms;
    AlarmVerdict verdict = JudgeAlarm(alarm.window, spec, alarm.state);
    if (verdict.state != alarm.state) {
      alarm.state = verdict.state;
      alarm.since_ms = ts_ms;
    }
    alarm.reason = std::move(verdict.reason);
    if (!SameRecord(before, alarm)) dirty_.insert(key);
    if (alarm.state != before.state) changes->push_back({before.state, alarm});
  }
}

std::map<PackedLabels, SeenAlert> AlarmTable::Alerts(const AlarmSpec& spec) const {
  std::map<PackedLabels, SeenAlert> alerts;
  for (const auto& [key, alarm] : alarms_) {
    const bool no_data = alarm.state == AlarmState::kInsufficientData && spec.notify_insufficient_data &&
                         alarm.window.size() >= spec.evaluation_periods;
    if (alarm.state != AlarmState::kAlarm && !no_data) continue;
    SeenAlert alert = {.labels = alarm.labels, .annotations = alarm.annotations, .value = alarm.value};
    alert.labels["alarm_state"] = AlarmStateName(alarm.state);
    alert.annotations.try_emplace("alarm_reason", alarm.reason);
    PackedLabels packed = PackLabels(alert.labels);
    alerts.emplace(std::move(packed), std::move(alert));
  }
  return alerts;
}

void AlarmTable::Restore(Alarm alarm) {
  PackedLabels key = PackLabels(alarm.labels);
  alarms_.insert_or_assign(std::move(key), std::move(alarm));
}

}  // namespace varve
