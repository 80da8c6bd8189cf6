// Which entries of a push are refused, and in which words: limits on time, line and metadata.
//
// Threads: thread-compatible. Replay does not check again.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/time.h"
#include "engine/model/log_entry.h"
#include "ingest/limits.h"
#include "ingest/write_path.h"

namespace varve {

// "2026-11-01T00:00:00Z"
std::string FormatRfc3339(int64_t ts_ns);

class EntryChecks {
 public:
  EntryChecks(const IngestLimits* limits, int64_t now_ns);

  // The period of the stream that the next entries are of; 0 = for ever.
  void SetRetention(int64_t retention_ns);

  // Whether the entry is taken. `pairs` is its metadata as it came.
  bool Accepts(const LogEntryView& entry, std::span<const MetadataPair> pairs) const {
    if (entry.ts_ns < oldest_ns_ || entry.ts_ns > newest_ns_ || entry.line.size() > line_size_max_)
      return false;
    return pairs.empty() || AcceptsMetadata(pairs);
  }
  // Why an entry that Accepts refuses is refused. `stream` is the stream's label text.
  struct Refusal {
    DiscardReason reason;
    std::string text;
  };
  Refusal Explain(const LogEntryView& entry, std::span<const MetadataPair> pairs,
                  std::string_view stream) const;

  // Bytes of names and values.
  static uint64_t MetadataBytes(std::span<const MetadataPair> pairs);

 private:
  bool AcceptsMetadata(std::span<const MetadataPair> pairs) const;

  const IngestLimits* const limits_;
  const int64_t now_ns_;
  int64_t oldest_of_all_ns_;  // whatever the stream
  int64_t oldest_ns_;
  int64_t newest_ns_;
  uint64_t line_size_max_;
};

}  // namespace varve
