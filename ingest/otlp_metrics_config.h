// The `otlp` section of the configuration: how OTLP metrics become series. Names and meaning are Prometheus's.
//
// Bytes: docs/format.md, "Journal record".
// Threads: a value type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"

namespace varve {

// Numbers are stored.
enum class OtlpTranslation : uint8_t {
  kUnderscoreEscapingWithSuffixes = 0,
  kNoUtf8EscapingWithSuffixes = 1,
  kUnderscoreEscapingWithoutSuffixes = 2,
  kNoTranslation = 3,
};
inline constexpr std::string_view kOtlpTranslationNames[] = {
    "UnderscoreEscapingWithSuffixes", "NoUTF8EscapingWithSuffixes", "UnderscoreEscapingWithoutSuffixes",
    "NoTranslation"};

struct OtlpMetricsConfig {
  std::vector<std::string> promote_resource_attributes;
  bool promote_all_resource_attributes = false;
  std::vector<std::string> ignore_resource_attributes;  // of all, when all are promoted
  std::string translation_strategy = std::string(kOtlpTranslationNames[0]);
  bool keep_identifying_resource_attributes = false;  // in target_info
  bool convert_histograms_to_nhcb = false;
  bool promote_scope_metadata = false;
  bool label_name_underscore_sanitization = true;
  bool label_name_preserve_multiple_underscores = true;
  bool operator==(const OtlpMetricsConfig&) const = default;

  OtlpTranslation translation() const;  // the default where the name is not known
  bool escape() const {
    return translation() == OtlpTranslation::kUnderscoreEscapingWithSuffixes ||
           translation() == OtlpTranslation::kUnderscoreEscapingWithoutSuffixes;
  }
  bool suffixes() const {
    return translation() == OtlpTranslation::kUnderscoreEscapingWithSuffixes ||
           translation() == OtlpTranslation::kNoUtf8EscapingWithSuffixes;
  }
};

// "" for the defaults.
std::string EncodeOtlpMetricsConfig(const OtlpMetricsConfig& config);
// False when the bytes are malformed.
bool DecodeOtlpMetricsConfig(std::string_view bytes, OtlpMetricsConfig* config);

}  // namespace varve
