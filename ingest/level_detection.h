// The value of detected_level, the structured metadata that is added to every entry.
//
// Loki's rule; the first that applies wins, and callers ask in this order:
//   1. metadata already named detected_level: kept, normalised
//   2. a stream label with one of the field names (FromLabels)
//   3. metadata with one of the field names, then metadata severity_number (FromMetadata)
//   4. the line (FromLine): as JSON when it stands in braces, else as logfmt when it has a '='; a field that
//      gives a known level decides, everything else goes to the key words (ingest/level_keywords.h)
// 1 to 3 keep values that are no known level as they are.
// Case is folded for ASCII letters only.
// Threads: immutable after construction.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/labels.h"
#include "engine/model/log_entry.h"
#include "ingest/level_keywords.h"

namespace varve {

inline constexpr std::string_view kDetectedLevel = "detected_level";

// "error"…
std::string_view LevelName(Level level);
// Reads a level's name or one of its abbreviations (err, WARNING, trc…); kUnknown for anything else,
// "unknown" included.
Level ParseLevel(std::string_view text);
// The level's name where `text` is one, else `text`.
std::string_view NormalisedLevel(std::string_view text);
// The encoded metadata {detected_level: name}. Lives for ever.
std::string_view EncodedLevelMetadata(Level level);

class LevelDetector {
 public:
  // `fields`: field names, best first. `json_max_depth`: how many objects deep JSON is searched; 0 = no
  // bound but kJsonDepthMax.
  LevelDetector(std::vector<std::string> fields, uint32_t json_max_depth);

  // Normalised; empty where no label or metadata says anything. Views into the argument or constants.
  std::string_view FromLabels(const Labels& labels) const;
  std::string_view FromMetadata(const std::vector<MetadataPair>& pairs) const;
  Level FromLine(std::string_view line) const;

  static constexpr uint32_t kJsonDepthMax = 32;

 private:
  std::string_view JsonField(std::string_view object, uint32_t depth, bool* found) const;
  Level LogfmtLevel(std::string_view line) const;
  bool IsField(std::string_view name) const;

  const std::vector<std::string> fields_;
  const uint32_t json_max_depth_;
  // Whether MayNameLevelField is a sound filter for these names.
  const bool filter_by_letters_;
};

}  // namespace varve
