// limits.otlp_config: what becomes of the attributes of OTLP logs.
//
// Names and meaning are Loki's. An attribute goes by the first rule that names it or whose expression matches
// its whole name; without one it is structured metadata. Of the resource's rules the first is the default
// list (kOtlpDefaultIndexLabels), unless ignore_defaults is set.
// Bytes: docs/format.md, "Journal record".
// Threads: OtlpRules is immutable after construction.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/status.h"

namespace varve {

// Numbers are stored.
enum class OtlpAction : uint8_t { kStructuredMetadata = 0, kIndexLabel = 1, kDrop = 2 };

// "index_label"
std::string_view OtlpActionName(OtlpAction action);
bool ParseOtlpAction(std::string_view name, OtlpAction* action);

struct OtlpAttributeRule {
  OtlpAction action = OtlpAction::kStructuredMetadata;
  std::vector<std::string> attributes;  // names; or
  std::string regex;                    // of whole names
  bool operator==(const OtlpAttributeRule&) const = default;
};

struct OtlpConfig {
  bool ignore_defaults = false;  // resource_attributes.ignore_defaults
  std::vector<OtlpAttributeRule> resource_attributes;
  std::vector<OtlpAttributeRule> scope_attributes;
  std::vector<OtlpAttributeRule> log_attributes;
  bool severity_text_as_label = false;
  bool operator==(const OtlpConfig&) const = default;
};

// The attributes of a resource that become stream labels by default: Loki's list, part of the format.
std::span<const std::string_view> OtlpDefaultIndexLabels();

// kInvalidArgument, in Loki's words: a rule has neither names nor an expression, or both; an expression
// cannot be compiled or is too large; a scope's attribute would become a label.
Status ValidateOtlpConfig(const OtlpConfig& config);

void EncodeOtlpConfig(const OtlpConfig& config, std::string* out);
// False when the bytes are malformed.
bool DecodeOtlpConfig(ByteReader* reader, OtlpConfig* config);

// Where an attribute stands.
enum class OtlpLevel : uint8_t { kResource, kScope, kLog };

// The rules, ready for use.
class OtlpRules {
 public:
  // `config` is valid; a rule whose expression cannot be compiled never applies.
  explicit OtlpRules(const OtlpConfig& config);
  ~OtlpRules();

  OtlpAction ActionFor(OtlpLevel level, std::string_view attribute) const;
  bool severity_text_as_label() const { return severity_text_as_label_; }

 private:
  class List;
  std::unique_ptr<const List> lists_[3];  // by OtlpLevel
  const bool severity_text_as_label_;
};

}  // namespace varve
