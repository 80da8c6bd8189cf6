#include "tools/alert_answer.h"

#include <simdjson.h>

#include <string_view>
#include <utility>

#include "engine/model/labels.h"

namespace varve {
namespace {

namespace dom = simdjson::dom;

Status Unexpected(std::string_view what) {
  return Corruption("the server's answer has not the form it should: " + std::string(what));
}

Status ReadText(const dom::element& from, const char* key, std::string* text) {
  std::string_view value;
  if (from[key].get(value) != simdjson::SUCCESS) return Unexpected(key);
  *text = value;
  return Status::Ok();
}

struct NamedText {
  const char* key;
  std::string* text;
};

Status ReadTexts(const dom::element& from, std::initializer_list<NamedText> texts) {
  for (const NamedText& named : texts) VARVE_RETURN_IF_ERROR(ReadText(from, named.key, named.text));
  return Status::Ok();
}

Result<std::string> MatchersText(const dom::element& silence) {
  dom::array matchers;
  if (silence["matchers"].get(matchers) != simdjson::SUCCESS) return Unexpected("matchers");
  std::string text;
  for (const dom::element matcher : matchers) {
    std::string name, value;
    bool equal = true, regex = false;
    VARVE_RETURN_IF_ERROR(ReadTexts(matcher, {{"name", &name}, {"value", &value}}));
    if (matcher["isRegex"].get(regex) != simdjson::SUCCESS) return Unexpected("isRegex");
    if (matcher["isEqual"].get(equal) != simdjson::SUCCESS) equal = true;
    if (!text.empty()) text.push_back(' ');
    text += name + (equal ? (regex ? "=~" : "=") : (regex ? "!~" : "!=")) + GoQuoted(value);
  }
  return text;
}

Result<std::string> LabelsText(const dom::element& alarm) {
  dom::object labels;
  if (alarm["labels"].get(labels) != simdjson::SUCCESS) return Unexpected("labels");
  std::string text = "{";
  for (const auto& label : labels) {
    std::string_view value;
    if (label.value.get(value) != simdjson::SUCCESS) return Unexpected("a label's value");
    if (text.size() > 1) text.append(", ");
    text.append(label.key).append("=").append(GoQuoted(value));
  }
  return text + "}";
}

}  // namespace

Result<std::vector<SilenceRow>> ParseSilencesAnswer(const std::string& json) {
  dom::parser parser;
  dom::array items;
  if (parser.parse(json).get(items) != simdjson::SUCCESS) return Unexpected("it is not a list of silences");
  std::vector<SilenceRow> rows;
  for (const dom::element item : items) {
    SilenceRow row;
    VARVE_RETURN_IF_ERROR(ReadTexts(item, {{"id", &row.id},
                                           {"startsAt", &row.starts_at},
                                           {"endsAt", &row.ends_at},
                                           {"createdBy", &row.created_by},
                                           {"comment", &row.comment}}));
    dom::element status;
    if (item["status"].get(status) != simdjson::SUCCESS) return Unexpected("status");
    VARVE_RETURN_IF_ERROR(ReadText(status, "state", &row.state));
    VARVE_ASSIGN_OR_RETURN(row.matchers, MatchersText(item));
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<std::string> ParseSilenceIdAnswer(const std::string& json) {
  dom::parser parser;
  dom::element document;
  std::string id;
  if (parser.parse(json).get(document) != simdjson::SUCCESS) return Unexpected("it is not JSON");
  VARVE_RETURN_IF_ERROR(ReadText(document, "silenceID", &id));
  return id;
}

Result<std::vector<AlarmRow>> ParseAlarmsAnswer(const std::string& json) {
  dom::parser parser;
  dom::element document;
  dom::array items;
  if (parser.parse(json).get(document) != simdjson::SUCCESS ||
      document.at_pointer("/data/alarms").get(items) != simdjson::SUCCESS) {
    return Unexpected("it is not a list of alarms");
  }
  std::vector<AlarmRow> rows;
  for (const dom::element item : items) {
    AlarmRow row;
    VARVE_RETURN_IF_ERROR(ReadTexts(item, {{"state", &row.state},
                                           {"rule", &row.rule},
                                           {"group", &row.group},
                                           {"since", &row.since},
                                           {"reason", &row.reason}}));
    VARVE_ASSIGN_OR_RETURN(row.labels, LabelsText(item));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string ErrorText(const std::string& body) {
  if (!body.starts_with('"') && !body.starts_with('{')) return body;
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse(body).get(document) != simdjson::SUCCESS) return body;
  std::string_view text;
  if (document.get(text) == simdjson::SUCCESS) return std::string(text);
  for (const char* key : {"message", "error"}) {
    if (document[key].get(text) == simdjson::SUCCESS && !text.empty()) return std::string(text);
  }
  return body;
}

}  // namespace varve
