#include "ingest/otlp_metrics_config.h"

#include <algorithm>

namespace varve {
namespace {

constexpr uint64_t kListItemsMax = 10'000;

enum Flag : uint8_t {
  kPromoteAll = 1,
  kKeepIdentifying = 2,
  kConvertToNhcb = 4,
  kPromoteScope = 8,
  kUnderscoreSanitization = 16,
  kPreserveUnderscores = 32,
};

void PutList(std::string* out, const std::vector<std::string>& items) {
  PutVarint(out, items.size());
  for (const std::string& item : items) PutLengthPrefixed(out, item);
}

bool GetList(ByteReader* reader, std::vector<std::string>* items) {
  const uint64_t count = reader->Varint();
  if (count > kListItemsMax) return false;
  for (uint64_t i = 0; i < count && reader->ok(); ++i) items->emplace_back(reader->LengthPrefixed());
  return reader->ok();
}

}  // namespace

OtlpTranslation OtlpMetricsConfig::translation() const {
  const auto* const at =
      std::find(std::begin(kOtlpTranslationNames), std::end(kOtlpTranslationNames), translation_strategy);
  if (at == std::end(kOtlpTranslationNames)) return OtlpTranslation::kUnderscoreEscapingWithSuffixes;
  return static_cast<OtlpTranslation>(at - std::begin(kOtlpTranslationNames));
}

std::string EncodeOtlpMetricsConfig(const OtlpMetricsConfig& config) {
  std::string out;
  if (config == OtlpMetricsConfig()) return out;
  out.push_back(static_cast<char>((config.promote_all_resource_attributes ? kPromoteAll : 0) |
                                  (config.keep_identifying_resource_attributes ? kKeepIdentifying : 0) |
                                  (config.convert_histograms_to_nhcb ? kConvertToNhcb : 0) |
                                  (config.promote_scope_metadata ? kPromoteScope : 0) |
                                  (config.label_name_underscore_sanitization ? kUnderscoreSanitization : 0) |
                                  (config.label_name_preserve_multiple_underscores ? kPreserveUnderscores : 0)));
  out.push_back(static_cast<char>(config.translation()));
  PutList(&out, config.promote_resource_attributes);
  PutList(&out, config.ignore_resource_attributes);
  return out;
}

bool DecodeOtlpMetricsConfig(std::string_view bytes, OtlpMetricsConfig* config) {
  *config = OtlpMetricsConfig();
  if (bytes.empty()) return true;
  ByteReader reader(bytes);
  const auto flags = reader.Fixed<uint8_t>();
  const auto translation = reader.Fixed<uint8_t>();
  if (translation >= std::size(kOtlpTranslationNames)) return false;
  config->translation_strategy = kOtlpTranslationNames[translation];
  config->promote_all_resource_attributes = (flags & kPromoteAll) != 0;
  config->keep_identifying_resource_attributes = (flags & kKeepIdentifying) != 0;
  config->convert_histograms_to_nhcb = (flags & kConvertToNhcb) != 0;
  config->promote_scope_metadata = (flags & kPromoteScope) != 0;
  config->label_name_underscore_sanitization = (flags & kUnderscoreSanitization) != 0;
  config->label_name_preserve_multiple_underscores = (flags & kPreserveUnderscores) != 0;
  return GetList(&reader, &config->promote_resource_attributes) &&
         GetList(&reader, &config->ignore_resource_attributes) && reader.AtEnd();
}

}  // namespace varve
