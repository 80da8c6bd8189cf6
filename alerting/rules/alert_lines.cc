#include "alerting/rules/alert_lines.h"

#include <cmath>
#include <cstdio>
#include <ctime>

#include "alerting/rules/rule_writer.h"
#include "engine/base/json_writer.h"

namespace varve {
namespace {

void AppendText(std::string* out, std::string_view name, std::string_view text) {
  *out += out->size() == 1 ? "\"" : ",\"";
  *out += name;
  *out += "\":";
  AppendReadableJsonString(out, text);
}

void AppendValue(std::string* out, double value) {
  *out += ",\"value\":";
  const bool number = std::isfinite(value);
  if (!number) *out += '"';
  AppendGoFloat(out, value);
  if (!number) *out += '"';
}

// {"rule":…,"group":…,"file":…,"labels":{…},"annotations":{…}
std::string Beginning(const GroupState& group, const Rule& rule, const LabelMap& labels, const LabelMap& annotations) {
  std::string line = "{";
  AppendText(&line, "rule", rule.alert);
  AppendText(&line, "group", group.key.name);
  AppendText(&line, "file", group.key.file);
  line += ",\"labels\":";
  AppendJsonLabels(&line, labels);
  if (!annotations.empty()) {
    line += ",\"annotations\":";
    AppendJsonLabels(&line, annotations);
  }
  return line;
}

}  // namespace

std::string Rfc3339Millis(int64_t ms) {
  const int64_t seconds = ms / 1000 - (ms % 1000 < 0 ? 1 : 0);
  const time_t time = seconds;
  tm parts{};
  gmtime_r(&time, &parts);
  char text[96];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, static_cast<int>(ms - seconds * 1000));
  return text;
}

void AppendJsonLabels(std::string* out, const LabelMap& labels) {
  *out += '{';
  bool first = true;
  for (const auto& [name, value] : labels) {
    if (!first) *out += ',';
    first = false;
    AppendReadableJsonString(out, name);
    *out += ':';
    AppendReadableJsonString(out, value);
  }
  *out += '}';
}

std::string AlarmLine(const GroupState& group, const Rule& rule, const AlarmChange& change) {
  const Alarm& alarm = change.alarm;
  std::string line = Beginning(group, rule, alarm.labels, alarm.annotations);
  AppendValue(&line, alarm.value);
  line += ",\"alarm\":true";
  AppendText(&line, "from", AlarmStateName(change.from));
  AppendText(&line, "to", AlarmStateName(alarm.state));
  AppendText(&line, "reason", alarm.reason);
  line += '}';
  return line;
}

std::string AlertLine(const GroupState& group, const Rule& rule, const AlertChange& change) {
  const TrackedAlert& alert = change.alert;
  std::string line = Beginning(group, rule, alert.labels, alert.annotations);
  AppendValue(&line, alert.value);
  AppendText(&line, "from", AlertStateName(change.from));
  AppendText(&line, "to", AlertStateName(change.to));
  AppendText(&line, "activeAt", Rfc3339Millis(alert.active_at_ms));
  if (alert.fired_at_ms.has_value()) AppendText(&line, "firedAt", Rfc3339Millis(*alert.fired_at_ms));
  if (alert.resolved_at_ms.has_value() && alert.fired_at_ms.has_value()) {
    AppendText(&line, "resolvedAt", Rfc3339Millis(*alert.resolved_at_ms));
  }
  line += '}';
  return line;
}

}  // namespace varve
