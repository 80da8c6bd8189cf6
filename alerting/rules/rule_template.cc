#include "alerting/rules/rule_template.h"

#include <map>
#include <utility>

namespace varve {
namespace {

using templates::Datum;
using templates::DatumFields;
using templates::DatumKind;

// Prometheus puts these in front of every text; columns in errors count them.
constexpr std::string_view kDefinitions =
    "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := "
    ".Value}}";

// What ExpandRuleTemplate keeps parsed in each thread.
constexpr size_t kKeptTemplatesMax = 32;
constexpr size_t kKeptTextBytesMax = 4096;

const templates::TemplateSet& Functions() {
  static const templates::TemplateSet set(templates::FunctionSet::kPrometheus);
  return set;
}

Datum LabelDatum(const LabelMap& labels) {
  DatumFields fields;
  fields.reserve(labels.size());
  for (const auto& [name, value] : labels) fields.emplace_back(name, Datum{value});
  return {std::move(fields), DatumKind::kStringMap};
}

bool IsTemplate(std::string_view text) { return text.find("{{") != std::string_view::npos; }

std::string Failed(const std::string& why, std::string* error) {
  if (error != nullptr) *error = why;
  return "<error expanding template: " + why + ">";
}

}  // namespace

Result<RuleTemplate> RuleTemplate::Parse(std::string_view name, std::string_view text) {
  RuleTemplate result;
  result.name_ = name;
  if (!IsTemplate(text)) {
    result.text_ = text;
    return result;
  }
  Result<templates::ParsedTemplate> parsed =
      Functions().Compile(name, std::string(kDefinitions).append(text));
  if (!parsed.ok()) return parsed.status().Clone();
  result.parsed_ = std::move(*parsed);
  return result;
}

RuleTemplate RuleTemplate::ParseAnyway(std::string_view name, std::string_view text) {
  Result<RuleTemplate> parsed = Parse(name, text);
  if (parsed.ok()) return std::move(*parsed);
  RuleTemplate result;
  result.error_ = "error parsing template " + std::string(name) + ": " + parsed.status().message();
  return result;
}

std::string RuleTemplate::Expand(const RuleTemplateData& data, const templates::TemplateMeans& means,
                                 std::string* error) const {
  if (!error_.empty()) return Failed(error_, error);
  if (!parsed_.has_value()) return text_;
  DatumFields fields;
  fields.reserve(4);
  fields.emplace_back("Labels", LabelDatum(data.labels));
  fields.emplace_back("ExternalLabels", LabelDatum(data.external_labels));
  fields.emplace_back("ExternalURL", Datum{data.external_url});
  fields.emplace_back("Value", Datum{data.value});
  Result<std::string> expanded =
      parsed_->Execute({std::move(fields), DatumKind::kRule}, templates::Escape::kText, means);
  if (expanded.ok()) return std::move(*expanded);
  return Failed("error executing template " + name_ + ": " + expanded.status().message(), error);
}

Status CheckRuleTemplate(std::string_view name, std::string_view text) {
  return IsTemplate(text) ? Functions().Check(name, std::string(kDefinitions).append(text)) : Status::Ok();
}

std::string ExpandRuleTemplate(std::string_view name, std::string_view text, const RuleTemplateData& data,
                               const templates::TemplateMeans& means, std::string* error) {
  if (!IsTemplate(text)) return std::string(text);
  if (text.size() > kKeptTextBytesMax)
    return RuleTemplate::ParseAnyway(name, text).Expand(data, means, error);
  // A rule's texts come once for each of its alerts.
  thread_local std::map<std::pair<std::string, std::string>, RuleTemplate> kept;
  std::pair<std::string, std::string> key(name, text);
  auto known = kept.find(key);
  if (known == kept.end()) {
    if (kept.size() >= kKeptTemplatesMax) kept.clear();
    known = kept.emplace(std::move(key), RuleTemplate::ParseAnyway(name, text)).first;
  }
  // A copy: a query in the template might come back here.
  const RuleTemplate parsed = known->second;
  return parsed.Expand(data, means, error);
}

}  // namespace varve
