#include "tools/otlp_settings.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <vector>

namespace varve {
namespace {

constexpr size_t kListItemsMax = 1000;

// Calls read(key, value) for each entry of a map.
template <typename Read>
Status ForEachKey(const YAML::Node& map, std::string_view where, Read&& read) {
  if (!map.IsMap()) return InvalidArgument(fmt::format("{}: not a map", where));
  for (const auto& entry : map) {
    if (!entry.first.IsScalar()) return InvalidArgument(fmt::format("{}: a key is not a text", where));
    Status status = read(entry.first.Scalar(), entry.second);
    if (!status.ok()) return InvalidArgument(fmt::format("{}: {}", entry.first.Scalar(), status.message()));
  }
  return Status::Ok();
}

Status ReadFlag(const YAML::Node& node, bool* value) {
  if (!node.IsScalar() || (node.Scalar() != "true" && node.Scalar() != "false")) {
    return InvalidArgument("neither true nor false");
  }
  *value = node.Scalar() == "true";
  return Status::Ok();
}

Status ReadNames(const YAML::Node& node, std::vector<std::string>* names) {
  if (!node.IsSequence() || node.size() > kListItemsMax) return InvalidArgument("not a list, or too long");
  for (const YAML::Node& item : node) {
    if (!item.IsScalar()) return InvalidArgument("the list holds something that is not a text");
    names->push_back(item.Scalar());
  }
  return Status::Ok();
}

Status ReadRule(const YAML::Node& map, OtlpAttributeRule* rule) {
  return ForEachKey(map, "rule", [&](const std::string& key, const YAML::Node& value) -> Status {
    if (key == "attributes") return ReadNames(value, &rule->attributes);
    if (key != "action" && key != "regex") return InvalidArgument("unknown key");
    if (!value.IsScalar()) return InvalidArgument("not a text");
    if (key == "regex") {
      rule->regex = value.Scalar();
      return Status::Ok();
    }
    if (ParseOtlpAction(value.Scalar(), &rule->action)) return Status::Ok();
    return InvalidArgument("unsupported action, it must be one of: drop, index_label, structured_metadata");
  });
}

Status ReadRules(const YAML::Node& node, std::vector<OtlpAttributeRule>* rules) {
  if (!node.IsSequence() || node.size() > kListItemsMax) return InvalidArgument("not a list, or too long");
  for (const YAML::Node& map : node) VARVE_RETURN_IF_ERROR(ReadRule(map, &rules->emplace_back()));
  return Status::Ok();
}

Status ReadResource(const YAML::Node& node, OtlpConfig* config) {
  return ForEachKey(node, "resource_attributes",
                    [&](const std::string& key, const YAML::Node& value) -> Status {
                      if (key == "ignore_defaults") return ReadFlag(value, &config->ignore_defaults);
                      if (key == "attributes_config") return ReadRules(value, &config->resource_attributes);
                      return InvalidArgument("unknown key");
                    });
}

std::string Quoted(const std::string& text) {
  YAML::Emitter emitter;
  emitter << YAML::DoubleQuoted << text;
  return emitter.c_str();
}

std::string PrintRules(const std::vector<OtlpAttributeRule>& rules) {
  std::vector<std::string> items;
  for (const OtlpAttributeRule& rule : rules) {
    std::vector<std::string> names;
    for (const std::string& name : rule.attributes) names.push_back(Quoted(name));
    items.push_back(rule.regex.empty() ? fmt::format("{{action: {}, attributes: [{}]}}",
                                                     OtlpActionName(rule.action), fmt::join(names, ", "))
                                       : fmt::format("{{action: {}, regex: {}}}", OtlpActionName(rule.action),
                                                     Quoted(rule.regex)));
  }
  return fmt::format("[{}]", fmt::join(items, ", "));
}

}  // namespace

Status ReadOtlpConfig(const YAML::Node& node, OtlpConfig* config) {
  OtlpConfig parsed;
  VARVE_RETURN_IF_ERROR(
      ForEachKey(node, "otlp_config", [&](const std::string& key, const YAML::Node& value) -> Status {
        if (key == "resource_attributes") return ReadResource(value, &parsed);
        if (key == "scope_attributes") return ReadRules(value, &parsed.scope_attributes);
        if (key == "log_attributes") return ReadRules(value, &parsed.log_attributes);
        if (key == "severity_text_as_label") return ReadFlag(value, &parsed.severity_text_as_label);
        return InvalidArgument("unknown key");
      }));
  VARVE_RETURN_IF_ERROR(ValidateOtlpConfig(parsed));
  *config = std::move(parsed);
  return Status::Ok();
}

std::string PrintOtlpConfig(const OtlpConfig& config) {
  std::vector<std::string> resource;
  if (config.ignore_defaults) resource.push_back("ignore_defaults: true");
  if (!config.resource_attributes.empty()) {
    resource.push_back("attributes_config: " + PrintRules(config.resource_attributes));
  }
  std::vector<std::string> parts;
  if (!resource.empty())
    parts.push_back(fmt::format("resource_attributes: {{{}}}", fmt::join(resource, ", ")));
  if (!config.scope_attributes.empty()) {
    parts.push_back("scope_attributes: " + PrintRules(config.scope_attributes));
  }
  if (!config.log_attributes.empty()) parts.push_back("log_attributes: " + PrintRules(config.log_attributes));
  if (config.severity_text_as_label) parts.push_back("severity_text_as_label: true");
  return fmt::format("{{{}}}", fmt::join(parts, ", "));
}

}  // namespace varve
