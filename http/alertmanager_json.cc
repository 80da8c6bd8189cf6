#include "http/alertmanager_json.h"

#include <simdjson.h>

#include <optional>
#include <utility>

#include "engine/base/json_writer.h"
#include "engine/base/rfc3339.h"
#include "engine/model/labels.h"
#include "http/alerting_json.h"

namespace varve {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

// ---- Writing --------------------------------------------------------------------------------------

void AppendTexts(std::string* out, const std::vector<std::string>& texts) {
  out->push_back('[');
  for (const std::string& text : texts) {
    if (out->back() != '[') out->push_back(',');
    AppendJsonString(out, text);
  }
  out->push_back(']');
}

void AppendNamed(std::string* out, std::string_view name) {
  out->append("{\"name\":");
  AppendJsonString(out, name);
  out->push_back('}');
}

std::string_view StatusName(const AlertView& view) {
  // Also before the alert has come to a group.
  if (!view.silenced_by.empty() || !view.inhibited_by.empty() || !view.muted_by.empty()) return "suppressed";
  switch (view.status) {
    case AlertStatus::kUnprocessed: return "unprocessed";
    case AlertStatus::kActive: return "active";
    case AlertStatus::kSuppressed: return "suppressed";
  }
  return "unprocessed";
}

std::string_view StateName(SilenceState state) {
  switch (state) {
    case SilenceState::kPending: return "pending";
    case SilenceState::kActive: return "active";
    case SilenceState::kExpired: return "expired";
  }
  return "expired";
}

void AppendMatcher(std::string* out, const Matcher& matcher) {
  const bool equal = matcher.op() == MatchOp::kEqual || matcher.op() == MatchOp::kRegexMatch;
  const bool regex = matcher.op() == MatchOp::kRegexMatch || matcher.op() == MatchOp::kRegexNotMatch;
  out->append("{\"isEqual\":").append(equal ? "true" : "false");
  out->append(",\"isRegex\":").append(regex ? "true" : "false");
  out->append(",\"name\":");
  AppendJsonString(out, matcher.name());
  out->append(",\"value\":");
  AppendJsonString(out, matcher.value());
  out->push_back('}');
}

// ---- Reading ----------------------------------------------------------------------------------------

constexpr int64_t kMsPerSecond = 1000;

Status Malformed(std::string_view what) {
  return InvalidArgument("parsing body failed, because " + std::string(what));
}

// Missing, null and "" are 0.
Status ReadTime(const object& from, std::string_view key, int64_t* ms) {
  element value;
  std::string_view text;
  if (from[key].get(value) != simdjson::SUCCESS || value.is_null()) return Status::Ok();
  if (value.get(text) != simdjson::SUCCESS) return Malformed(std::string(key) + " is not a text");
  if (text.empty() || text.starts_with("0001-01-01T")) return Status::Ok();
  const std::optional<UnixTime> time = ParseRfc3339(text);
  constexpr int64_t kYear9999 = 253'402'300'799;
  if (!time.has_value() || time->seconds < 0 || time->seconds > kYear9999) {
    return Malformed(std::string(key) + " is not a time: " + GoQuoted(text));
  }
  *ms = time->seconds * kMsPerSecond + time->ns / 1'000'000;
  return Status::Ok();
}

Status ReadText(const object& from, std::string_view key, std::string* text) {
  element value;
  std::string_view read;
  if (from[key].get(value) != simdjson::SUCCESS || value.is_null()) return Status::Ok();
  if (value.get(read) != simdjson::SUCCESS) return Malformed(std::string(key) + " is not a text");
  *text = read;
  return Status::Ok();
}

Status ReadFlag(const object& from, std::string_view key, bool* flag) {
  element value;
  if (from[key].get(value) != simdjson::SUCCESS || value.is_null()) return Status::Ok();
  if (value.get(*flag) != simdjson::SUCCESS) return Malformed(std::string(key) + " is not true or false");
  return Status::Ok();
}

Status ReadLabels(const object& from, std::string_view key, LabelMap* labels) {
  element value;
  object pairs;
  if (from[key].get(value) != simdjson::SUCCESS || value.is_null()) return Status::Ok();
  if (value.get(pairs) != simdjson::SUCCESS) return Malformed(std::string(key) + " is not an object");
  for (const auto& pair : pairs) {
    std::string_view text;
    if (pair.value.get(text) != simdjson::SUCCESS) {
      return Malformed(std::string(key) + "." + std::string(pair.key) + " is not a text");
    }
    (*labels)[std::string(pair.key)] = text;
  }
  return Status::Ok();
}

// "" when it can be taken; in the words of Alertmanager.
std::string WhatIsWrong(const PostedAlert& alert) {
  if (alert.ends_at_ms != 0 && alert.ends_at_ms < alert.starts_at_ms) return "start time must be before end time";
  if (alert.labels.contains("")) return "invalid label set: invalid name \"\"";
  if (alert.labels.empty()) return "at least one label pair required";
  if (alert.annotations.contains("")) return "invalid annotations: invalid name \"\"";
  return {};
}

Result<PostedAlert> ReadAlert(const element& item) {
  object from;
  if (item.get(from) != simdjson::SUCCESS) return Malformed("an alert is not an object");
  PostedAlert alert;
  VARVE_RETURN_IF_ERROR(ReadLabels(from, "labels", &alert.labels));
  VARVE_RETURN_IF_ERROR(ReadLabels(from, "annotations", &alert.annotations));
  VARVE_RETURN_IF_ERROR(ReadTime(from, "startsAt", &alert.starts_at_ms));
  VARVE_RETURN_IF_ERROR(ReadTime(from, "endsAt", &alert.ends_at_ms));
  VARVE_RETURN_IF_ERROR(ReadText(from, "generatorURL", &alert.generator_url));
  std::erase_if(alert.labels, [](const auto& label) { return label.second.empty(); });
  if (alert.starts_at_ms == 0 && alert.ends_at_ms != 0) alert.starts_at_ms = alert.ends_at_ms;
  return alert;
}

Status Required(std::string_view what) { return InvalidArgument(std::string(what) + " in body is required"); }

Result<Matcher> ReadMatcher(const element& item) {
  object from;
  if (item.get(from) != simdjson::SUCCESS) return Malformed("a matcher is not an object");
  std::string name, value;
  bool equal = true, regex = false;
  for (const std::string_view key : {"name", "value"}) {
    if (element found; from[key].get(found) != simdjson::SUCCESS) return Required("matchers." + std::string(key));
  }
  VARVE_RETURN_IF_ERROR(ReadText(from, "name", &name));
  VARVE_RETURN_IF_ERROR(ReadText(from, "value", &value));
  VARVE_RETURN_IF_ERROR(ReadFlag(from, "isEqual", &equal));
  VARVE_RETURN_IF_ERROR(ReadFlag(from, "isRegex", &regex));
  if (name.empty()) return InvalidArgument("invalid silence: invalid label matcher 0: invalid label name \"\"");
  const MatchOp op = regex ? (equal ? MatchOp::kRegexMatch : MatchOp::kRegexNotMatch)
                           : (equal ? MatchOp::kEqual : MatchOp::kNotEqual);
  return Matcher::Create(std::move(name), op, std::move(value));
}

}  // namespace

void AppendAlertViewJson(std::string* out, const AlertView& view) {
  out->append("{\"annotations\":");
  AppendLabelMapJson(out, view.alert.annotations);
  out->append(",\"endsAt\":");
  AppendMilliTimeJson(out, view.alert.ends_at_ms);
  out->append(",\"fingerprint\":");
  AppendJsonString(out, view.fingerprint);
  out->append(",\"receivers\":[");
  for (const std::string& receiver : view.receivers) {
    if (out->back() != '[') out->push_back(',');
    AppendNamed(out, receiver);
  }
  out->append("],\"startsAt\":");
  AppendMilliTimeJson(out, view.alert.starts_at_ms);
  out->append(",\"status\":{\"inhibitedBy\":");
  AppendTexts(out, view.inhibited_by);
  out->append(",\"mutedBy\":");
  AppendTexts(out, view.muted_by);
  out->append(",\"silencedBy\":");
  AppendTexts(out, view.silenced_by);
  out->append(",\"state\":\"").append(StatusName(view));
  out->append("\"},\"updatedAt\":");
  AppendMilliTimeJson(out, view.updated_at_ms);
  if (!view.alert.generator_url.empty()) {
    out->append(",\"generatorURL\":");
    AppendJsonString(out, view.alert.generator_url);
  }
  out->append(",\"labels\":");
  AppendLabelMapJson(out, view.alert.labels);
  out->push_back('}');
}

void AppendAlertGroupJson(std::string* out, const AlertGroupView& group) {
  out->append("{\"alerts\":[");
  for (const AlertView& view : group.alerts) {
    if (out->back() != '[') out->push_back(',');
    AppendAlertViewJson(out, view);
  }
  out->append("],\"labels\":");
  AppendLabelMapJson(out, group.labels);
  out->append(",\"receiver\":");
  AppendNamed(out, group.receiver);
  out->append(",\"routeLabels\":{}}");
}

void AppendSilenceJson(std::string* out, const Silence& silence, int64_t now_ms) {
  const auto text = [&](std::string_view name, std::string_view value) {
    out->append(name);
    AppendJsonString(out, value);
  };
  text("{\"id\":", silence.id);
  text(",\"status\":{\"state\":", StateName(silence.StateAt(now_ms)));
  out->append("},\"updatedAt\":");
  AppendMilliTimeJson(out, silence.updated_at_ms);
  if (!silence.annotations.empty()) {
    out->append(",\"annotations\":");
    AppendLabelMapJson(out, silence.annotations);
  }
  text(",\"comment\":", silence.comment);
  text(",\"createdBy\":", silence.created_by);
  out->append(",\"endsAt\":");
  AppendMilliTimeJson(out, silence.ends_at_ms);
  out->append(",\"matchers\":[");
  for (const Matcher& matcher : silence.matchers) {
    if (out->back() != '[') out->push_back(',');
    AppendMatcher(out, matcher);
  }
  out->append("],\"startsAt\":");
  AppendMilliTimeJson(out, silence.starts_at_ms);
  out->push_back('}');
}

Result<std::vector<PostedAlert>> ReadPostedAlerts(std::string_view json, std::string* invalid) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(json);
  element document;
  array items;
  if (const auto error = parser.parse(padded).get(document); error != simdjson::SUCCESS) {
    return Malformed(simdjson::error_message(error));
  }
  if (document.get(items) != simdjson::SUCCESS) return Malformed("it is not a list of alerts");
  std::vector<PostedAlert> alerts;
  for (const element item : items) {
    VARVE_ASSIGN_OR_RETURN(PostedAlert alert, ReadAlert(item));
    const std::string wrong = WhatIsWrong(alert);
    if (wrong.empty()) {
      alerts.push_back(std::move(alert));
    } else {
      invalid->append(invalid->empty() ? "" : "\n").append(wrong);
    }
  }
  return alerts;
}

Result<Silence> ReadSilence(std::string_view json) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(json);
  element document;
  object from;
  array matchers;
  if (const auto error = parser.parse(padded).get(document); error != simdjson::SUCCESS) {
    return Malformed(simdjson::error_message(error));
  }
  if (document.get(from) != simdjson::SUCCESS) return Malformed("it is not an object");
  for (const std::string_view key : {"comment", "createdBy", "endsAt", "matchers", "startsAt"}) {
    if (element found; from[key].get(found) != simdjson::SUCCESS) return Required(key);
  }
  Silence silence;
  if (from["matchers"].get(matchers) != simdjson::SUCCESS) return Malformed("matchers is not a list");
  if (matchers.size() == 0) return InvalidArgument("matchers in body should have at least 1 items");
  for (const element item : matchers) {
    VARVE_ASSIGN_OR_RETURN(Matcher matcher, ReadMatcher(item));
    silence.matchers.push_back(std::move(matcher));
  }
  VARVE_RETURN_IF_ERROR(ReadText(from, "id", &silence.id));
  VARVE_RETURN_IF_ERROR(ReadTime(from, "startsAt", &silence.starts_at_ms));
  VARVE_RETURN_IF_ERROR(ReadTime(from, "endsAt", &silence.ends_at_ms));
  VARVE_RETURN_IF_ERROR(ReadText(from, "comment", &silence.comment));
  VARVE_RETURN_IF_ERROR(ReadText(from, "createdBy", &silence.created_by));
  VARVE_RETURN_IF_ERROR(ReadLabels(from, "annotations", &silence.annotations));
  return silence;
}

}  // namespace varve
