#include "ingest/otlp_config.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "engine/model/regex.h"

namespace varve {
namespace {

constexpr std::array<std::string_view, 18> kDefaultIndexLabels = {"service.name",
                                                                  "service.namespace",
                                                                  "service.instance.id",
                                                                  "deployment.environment",
                                                                  "deployment.environment.name",
                                                                  "cloud.region",
                                                                  "cloud.availability_zone",
                                                                  "k8s.cluster.name",
                                                                  "k8s.namespace.name",
                                                                  "k8s.pod.name",
                                                                  "k8s.container.name",
                                                                  "container.name",
                                                                  "k8s.replicaset.name",
                                                                  "k8s.deployment.name",
                                                                  "k8s.statefulset.name",
                                                                  "k8s.daemonset.name",
                                                                  "k8s.cronjob.name",
                                                                  "k8s.job.name"};

constexpr uint64_t kListItemsMax = 10'000;
constexpr size_t kRegexBytesMax = 4096;
constexpr int64_t kRegexMemoryMax = 1 << 20;

enum Flag : uint8_t { kIgnoreDefaults = 1, kSeverityTextAsLabel = 2, kAllFlags = 3 };

Result<Regex> Compile(const std::string& regex) {
  return CompileRegex(regex,
                      {.anchored = true, .dot_matches_newline = true, .program_bytes_max = kRegexMemoryMax});
}

Status ValidateRules(const std::vector<OtlpAttributeRule>& rules) {
  for (const OtlpAttributeRule& rule : rules) {
    if (rule.attributes.empty() && rule.regex.empty()) {
      return InvalidArgument("attributes or regex must be set");
    }
    if (!rule.attributes.empty() && !rule.regex.empty()) {
      return InvalidArgument("only one of attributes or regex must be set");
    }
    if (rule.regex.size() > kRegexBytesMax) {
      return InvalidArgument("a regex is longer than " + std::to_string(kRegexBytesMax) + " bytes");
    }
    if (rule.regex.empty()) continue;
    if (Result<Regex> compiled = Compile(rule.regex); !compiled.ok()) return std::move(compiled).status();
  }
  return Status::Ok();
}

void PutRules(const std::vector<OtlpAttributeRule>& rules, std::string* out) {
  PutVarint(out, rules.size());
  for (const OtlpAttributeRule& rule : rules) {
    PutFixed(out, static_cast<uint8_t>(rule.action));
    PutVarint(out, rule.attributes.size());
    for (const std::string& name : rule.attributes) PutLengthPrefixed(out, name);
    PutLengthPrefixed(out, rule.regex);
  }
}

bool GetRules(ByteReader* reader, std::vector<OtlpAttributeRule>* rules) {
  const uint64_t count = reader->Varint();
  if (count > kListItemsMax) return false;
  rules->clear();
  for (uint64_t i = 0; i < count && reader->ok(); ++i) {
    OtlpAttributeRule& rule = rules->emplace_back();
    const auto action = reader->Fixed<uint8_t>();
    const uint64_t names = reader->Varint();
    if (action > static_cast<uint8_t>(OtlpAction::kDrop) || names > kListItemsMax) return false;
    rule.action = static_cast<OtlpAction>(action);
    for (uint64_t k = 0; k < names && reader->ok(); ++k) {
      rule.attributes.emplace_back(reader->LengthPrefixed());
    }
    rule.regex = reader->LengthPrefixed();
  }
  return reader->ok();
}

}  // namespace

std::string_view OtlpActionName(OtlpAction action) {
  switch (action) {
    case OtlpAction::kStructuredMetadata: return "structured_metadata";
    case OtlpAction::kIndexLabel: return "index_label";
    case OtlpAction::kDrop: return "drop";
  }
  return "structured_metadata";
}

bool ParseOtlpAction(std::string_view name, OtlpAction* action) {
  for (const OtlpAction candidate :
       {OtlpAction::kStructuredMetadata, OtlpAction::kIndexLabel, OtlpAction::kDrop}) {
    if (OtlpActionName(candidate) != name) continue;
    *action = candidate;
    return true;
  }
  return false;
}

std::span<const std::string_view> OtlpDefaultIndexLabels() { return kDefaultIndexLabels; }

Status ValidateOtlpConfig(const OtlpConfig& config) {
  VARVE_RETURN_IF_ERROR(ValidateRules(config.resource_attributes));
  VARVE_RETURN_IF_ERROR(ValidateRules(config.scope_attributes));
  VARVE_RETURN_IF_ERROR(ValidateRules(config.log_attributes));
  const bool scope_label =
      std::any_of(config.scope_attributes.begin(), config.scope_attributes.end(),
                  [](const OtlpAttributeRule& rule) { return rule.action == OtlpAction::kIndexLabel; });
  if (scope_label) return InvalidArgument("index_label action is not supported for scope_attributes");
  return Status::Ok();
}

void EncodeOtlpConfig(const OtlpConfig& config, std::string* out) {
  uint8_t flags = 0;
  if (config.ignore_defaults) flags |= kIgnoreDefaults;
  if (config.severity_text_as_label) flags |= kSeverityTextAsLabel;
  PutFixed(out, flags);
  PutRules(config.resource_attributes, out);
  PutRules(config.scope_attributes, out);
  PutRules(config.log_attributes, out);
}

bool DecodeOtlpConfig(ByteReader* reader, OtlpConfig* config) {
  const auto flags = reader->Fixed<uint8_t>();
  if ((flags & ~kAllFlags) != 0) return false;
  config->ignore_defaults = (flags & kIgnoreDefaults) != 0;
  config->severity_text_as_label = (flags & kSeverityTextAsLabel) != 0;
  return GetRules(reader, &config->resource_attributes) && GetRules(reader, &config->scope_attributes) &&
         GetRules(reader, &config->log_attributes);
}

// The rules for one level. Names are found in a table that holds the first rule for each; expressions are
// tried in order, as long as they stand before that rule.
class OtlpRules::List {
 public:
  void Add(OtlpAction action, std::string_view name) {
    by_name_.try_emplace(std::string(name), At{next_, action});
  }
  void EndRule() { ++next_; }

  void Add(const std::vector<OtlpAttributeRule>& rules) {
    for (const OtlpAttributeRule& rule : rules) {
      for (const std::string& name : rule.attributes) Add(rule.action, name);
      if (!rule.regex.empty()) {
        Result<Regex> regex = Compile(rule.regex);
        if (regex.ok()) regexes_.push_back({{next_, rule.action}, std::move(*regex)});
      }
      EndRule();
    }
  }

  OtlpAction Find(std::string_view attribute) const {
    if (next_ == 0) return OtlpAction::kStructuredMetadata;
    At found{next_, OtlpAction::kStructuredMetadata};
    if (const auto named = by_name_.find(attribute); named != by_name_.end()) found = named->second;
    for (const auto& [at, regex] : regexes_) {
      if (at.rule > found.rule) break;
      if (RegexMatches(*regex, attribute)) return at.action;
    }
    return found.action;
  }

 private:
  struct At {
    size_t rule = 0;
    OtlpAction action = OtlpAction::kStructuredMetadata;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  size_t next_ = 0;
  std::unordered_map<std::string, At, Hash, std::equal_to<>> by_name_;
  std::vector<std::pair<At, Regex>> regexes_;  // by rule, ascending
};

OtlpRules::OtlpRules(const OtlpConfig& config) : severity_text_as_label_(config.severity_text_as_label) {
  const auto list_of = [](const std::vector<OtlpAttributeRule>& rules, bool with_defaults) {
    auto list = std::make_unique<List>();
    if (with_defaults) {
      for (const std::string_view name : kDefaultIndexLabels) list->Add(OtlpAction::kIndexLabel, name);
      list->EndRule();
    }
    list->Add(rules);
    return list;
  };
  lists_[static_cast<size_t>(OtlpLevel::kResource)] =
      list_of(config.resource_attributes, !config.ignore_defaults);
  lists_[static_cast<size_t>(OtlpLevel::kScope)] = list_of(config.scope_attributes, false);
  lists_[static_cast<size_t>(OtlpLevel::kLog)] = list_of(config.log_attributes, false);
}

OtlpRules::~OtlpRules() = default;

OtlpAction OtlpRules::ActionFor(OtlpLevel level, std::string_view attribute) const {
  return lists_[static_cast<size_t>(level)]->Find(attribute);
}

}  // namespace varve
