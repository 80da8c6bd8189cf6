// The limits that shape what a body decodes to, apart from which entries are refused.
//
// A journal record carries them (docs/format.md, "Journal record"), so that replay under another
// configuration gives the same batch.
// Threads: immutable after construction.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/status.h"
#include "ingest/level_detection.h"
#include "ingest/limits.h"
#include "ingest/otlp_config.h"

namespace varve {

class DecodeOptions {
 public:
  // The options that `limits` asks for.
  explicit DecodeOptions(const IngestLimits& limits);
  // Reads what encoded() gave. kCorruption.
  static Result<DecodeOptions> FromEncoded(ByteReader* reader);

  // Empty: no service_name is added.
  const std::vector<std::string>& service_names() const { return service_names_; }
  bool add_detected_level() const { return add_detected_level_; }
  const LevelDetector& level_detector() const { return level_detector_; }
  // Lines are cut to this many bytes; 0 = not. What is cut ends with the identifier, where there is room.
  uint64_t truncate_line_bytes() const { return truncate_line_bytes_; }
  const OtlpRules& otlp_rules() const { return *otlp_rules_; }
  const std::string& truncate_identifier() const { return truncate_identifier_; }
  // Whether different lines of one timestamp get a nanosecond more each (timestamp_spread.h).
  bool spread_timestamps() const { return spread_timestamps_; }

  // The same options give the same bytes. Defaults take one byte.
  const std::string& encoded() const { return encoded_; }

 private:
  DecodeOptions(std::vector<std::string> service_names, bool add_detected_level,
                std::vector<std::string> level_fields, uint32_t json_max_depth, uint64_t truncate_line_bytes,
                const OtlpConfig& otlp_config, std::string truncate_identifier, bool spread_timestamps);

  std::vector<std::string> service_names_;
  bool add_detected_level_;
  LevelDetector level_detector_;
  uint64_t truncate_line_bytes_;
  std::shared_ptr<const OtlpRules> otlp_rules_;
  std::string truncate_identifier_;
  bool spread_timestamps_;
  std::string encoded_;
};

}  // namespace varve
