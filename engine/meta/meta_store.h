// What the engine knows besides entries: which packs are committed, how far each shard's packs reach
// in the journal, the identities of streams, the directory's fixed settings, and other parts' records.
//
// Commit is the one step that makes a cut count: packs, watermarks and the journal's trim change
// together or not at all. Pack keys and summaries are opaque bytes here (packs/ encodes them).
// Implementations: rocksdb_meta_store.h, memory_meta_store.h (tests).
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/record_store.h"

namespace varve {

struct MetaCommit {
  struct Pack {
    std::string key;
    std::string summary;
  };
  struct Watermark {
    uint32_t shard = 0;
    uint64_t seq = 0;  // every journal record up to this one is in the shard's packs
  };
  std::vector<Pack> added;
  std::vector<std::string> removed;  // keys
  std::vector<Watermark> watermarks;
  uint64_t trim_journal_through = 0;  // drops the records up to and including this number
  // Delete requests that are new or changed, by number; their bytes are opaque here.
  std::map<uint64_t, std::string> deletes;
  std::vector<uint64_t> deletes_removed;
};

struct StreamRecord {
  std::string tenant;
  std::string canonical;  // Labels::Canonical()
  uint64_t fingerprint = 0;
};

// The identity of a stream as bytes: varint length + tenant, then the canonical labels. Key of the
// stream family, and what a fingerprint is the hash of.
std::string StreamKey(std::string_view tenant, std::string_view canonical);

class MetaStore : public RecordStore {
 public:
  // Synced. After an error it is unknown whether it happened: only the same commit may be tried again.
  virtual Status Commit(const MetaCommit& commit) = 0;
  virtual Result<std::vector<MetaCommit::Pack>> ListPacks() const = 0;  // ascending by key
  // By shard; a shard that never committed is missing.
  virtual Result<std::map<uint32_t, uint64_t>> ListWatermarks() const = 0;

  virtual Result<std::map<uint64_t, std::string>> ListDeletes() const = 0;

  // Durable no later than any journal record appended after this returns.
  virtual Status PutStream(const StreamRecord& stream) = 0;
  virtual Status DeleteStreams(const std::vector<StreamRecord>& streams) = 0;
  virtual Status ForEachStream(const std::function<Status(const StreamRecord&)>& fn) const = 0;

  // The same for series of metrics, which are identified in the same way.
  virtual Status PutSeries(const StreamRecord& series) = 0;
  virtual Status DeleteSeries(const std::vector<StreamRecord>& series) = 0;
  virtual Status ForEachSeries(const std::function<Status(const StreamRecord&)>& fn) const = 0;

  virtual Result<std::optional<std::string>> GetSetting(std::string_view name) const = 0;
  virtual Status PutSetting(std::string_view name, std::string_view value) = 0;
};

}  // namespace varve
