#include "ingest/decode_options.h"

namespace varve {
namespace {

// Format constants: docs/format.md, "Journal record".
enum Flag : uint8_t {
  kAddDetectedLevel = 1,
  kOwnServiceNames = 2,
  kOwnLevelFields = 4,
  kOwnJsonDepth = 8,
  kTruncateLines = 16,
  kOwnOtlpConfig = 32,
  kTruncateIdentifier = 64,
  kSpreadTimestamps = 128,
};
constexpr uint64_t kListItemsMax = 10'000;

// The defaults of format version 1. They may not change even if those of IngestLimits do.
const std::vector<std::string>& FormatServiceNames() {
  static const std::vector<std::string> kNames = {"service",
                                                  "app",
                                                  "application",
                                                  "app_name",
                                                  "name",
                                                  "app_kubernetes_io_name",
                                                  "container",
                                                  "container_name",
                                                  "k8s_container_name",
                                                  "component",
                                                  "workload",
                                                  "job",
                                                  "k8s_job_name"};
  return kNames;
}
const std::vector<std::string>& FormatLevelFields() {
  static const std::vector<std::string> kFields = {
      "level",        "LEVEL", "Level", "log.level", "severity",      "SEVERITY",      "Severity",
      "SeverityText", "lvl",   "LVL",   "Lvl",       "severity_text", "Severity_Text", "SEVERITY_TEXT"};
  return kFields;
}
constexpr uint32_t kFormatJsonDepth = 2;

void PutList(std::string* out, const std::vector<std::string>& items) {
  PutVarint(out, items.size());
  for (const std::string& item : items) PutLengthPrefixed(out, item);
}

bool GetList(ByteReader* reader, std::vector<std::string>* items) {
  const uint64_t count = reader->Varint();
  if (count > kListItemsMax) return false;
  items->clear();
  for (uint64_t i = 0; i < count && reader->ok(); ++i) items->emplace_back(reader->LengthPrefixed());
  return reader->ok();
}

}  // namespace

DecodeOptions::DecodeOptions(std::vector<std::string> service_names, bool add_detected_level,
                             std::vector<std::string> level_fields, uint32_t json_max_depth,
                             uint64_t truncate_line_bytes, const OtlpConfig& otlp_config,
                             std::string truncate_identifier, bool spread_timestamps)
    : service_names_(std::move(service_names)),
      add_detected_level_(add_detected_level),
      level_detector_(level_fields, json_max_depth),
      truncate_line_bytes_(truncate_line_bytes),
      otlp_rules_(std::make_shared<const OtlpRules>(otlp_config)),
      truncate_identifier_(std::move(truncate_identifier)),
      spread_timestamps_(spread_timestamps) {
  uint8_t flags = 0;
  std::string lists;
  if (add_detected_level_) flags |= kAddDetectedLevel;
  if (service_names_ != FormatServiceNames()) {
    flags |= kOwnServiceNames;
    PutList(&lists, service_names_);
  }
  if (level_fields != FormatLevelFields()) {
    flags |= kOwnLevelFields;
    PutList(&lists, level_fields);
  }
  if (json_max_depth != kFormatJsonDepth) {
    flags |= kOwnJsonDepth;
    PutVarint(&lists, json_max_depth);
  }
  if (truncate_line_bytes_ != 0) {
    flags |= kTruncateLines;
    PutVarint(&lists, truncate_line_bytes_);
  }
  if (otlp_config != OtlpConfig()) {
    flags |= kOwnOtlpConfig;
    EncodeOtlpConfig(otlp_config, &lists);
  }
  if (!truncate_identifier_.empty()) {
    flags |= kTruncateIdentifier;
    PutLengthPrefixed(&lists, truncate_identifier_);
  }
  if (spread_timestamps_) flags |= kSpreadTimestamps;
  encoded_.push_back(static_cast<char>(flags));
  encoded_ += lists;
}

DecodeOptions::DecodeOptions(const IngestLimits& limits)
    : DecodeOptions(
          limits.discover_service_name, limits.discover_log_levels && limits.allow_structured_metadata,
          limits.log_level_fields, limits.log_level_from_json_max_depth,
          limits.max_line_size_truncate ? static_cast<uint64_t>(limits.max_line_size) : 0, limits.otlp_config,
          limits.max_line_size_truncate ? limits.max_line_size_truncate_identifier : std::string(),
          limits.increment_duplicate_timestamp) {}

Result<DecodeOptions> DecodeOptions::FromEncoded(ByteReader* reader) {
  const auto flags = reader->Fixed<uint8_t>();
  std::vector<std::string> service_names = FormatServiceNames();
  std::vector<std::string> level_fields = FormatLevelFields();
  uint64_t json_depth = kFormatJsonDepth;
  uint64_t truncate = 0;
  OtlpConfig otlp_config;
  bool ok = true;  // every flag has a meaning
  if (ok && (flags & kOwnServiceNames) != 0) ok = GetList(reader, &service_names);
  if (ok && (flags & kOwnLevelFields) != 0) ok = GetList(reader, &level_fields);
  if (ok && (flags & kOwnJsonDepth) != 0) json_depth = reader->Varint();
  if (ok && (flags & kTruncateLines) != 0) truncate = reader->Varint();
  if (ok && (flags & kOwnOtlpConfig) != 0) ok = DecodeOtlpConfig(reader, &otlp_config);
  std::string identifier;
  if (ok && (flags & kTruncateIdentifier) != 0) identifier = reader->LengthPrefixed();
  if (!ok || !reader->ok() || json_depth > UINT32_MAX)
    return Corruption("journal record: unreadable options");
  return DecodeOptions(std::move(service_names), (flags & kAddDetectedLevel) != 0, std::move(level_fields),
                       static_cast<uint32_t>(json_depth), truncate, otlp_config, std::move(identifier),
                       (flags & kSpreadTimestamps) != 0);
}

}  // namespace varve
