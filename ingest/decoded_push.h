// A push request after its wire form is taken apart, before labels are resolved and entries judged.
//
// All wire forms end here. Everything is a view: into the decoded body or the request's arena.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/model/log_entry.h"

namespace varve {

// How a stream's labels are written.
enum class LabelForm : uint8_t {
  kText = 0,  // {a="b", c="d"}
  kJson = 1,  // {"a":"b","c":"d"}: the raw JSON object
  // As Labels::Canonical writes them, and complete: a service_name is there if one is wanted (OTLP).
  kCanonical = 2,
};

struct DecodedPush {
  struct Stream {
    std::string_view labels;  // may be empty: no labels
    LabelForm form = LabelForm::kText;
    uint32_t begin = 0;  // into `entries`
    uint32_t count = 0;
  };
  // The metadata of one entry, as it came; entries without any have none of these.
  struct EntryMetadata {
    uint32_t entry = 0;  // ascending
    uint32_t begin = 0;  // into `pairs`
    uint32_t count = 0;
  };

  std::vector<Stream> streams;
  std::vector<LogEntryView> entries;  // timestamps and lines; `metadata` is empty
  std::vector<EntryMetadata> metadata;
  std::vector<MetadataPair> pairs;

  void Clear() {
    streams.clear();
    entries.clear();
    metadata.clear();
    pairs.clear();
  }
};

// What a timestamp beyond the range of int64 nanoseconds becomes; validation refuses both.
inline constexpr int64_t kTimestampTooOldNs = INT64_MIN;
inline constexpr int64_t kTimestampTooNewNs = INT64_MAX;

}  // namespace varve
