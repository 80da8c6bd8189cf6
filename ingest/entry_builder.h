// The last step of decoding an entry: text repaired, metadata names stored form, detected_level added.
//
// The same for a push and for its replay: what comes out depends on the entry, the options and the stream's
// labels alone.
// Threads: thread-compatible. Ownership: lines and metadata are views into the body, the arena, the stream's
// facts or constants.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/log_entry.h"
#include "ingest/byte_arena.h"
#include "ingest/decode_options.h"
#include "ingest/stream_alias_table.h"

namespace varve {

class EntryBuilder {
 public:
  EntryBuilder(const DecodeOptions* options, ByteArena* arena) : options_(options), arena_(arena) {}

  // `pairs` is the entry's metadata as it came. kInvalidArgument: a name that cannot be stored.
  Status Finish(std::span<const MetadataPair> pairs, const StreamFacts& stream, LogEntryView* entry);

 private:
  Status CutLine(uint64_t bytes, std::string_view* line);
  Status RepairText(std::string_view* text);
  Status EncodePairs(std::span<const MetadataPair> pairs, const StreamFacts& stream, LogEntryView* entry);
  void KeepLastOfEachName();
  void AddLevel(const StreamFacts& stream, std::string_view line);

  const DecodeOptions* const options_;
  ByteArena* const arena_;
  std::vector<MetadataPair> stored_;  // scratch
  std::string encoded_;               // scratch
};

}  // namespace varve
