// Streams by the bytes of their labels as senders write them, so that a known stream costs one hash.
//
// The key is xxh3-128, with a secret of the process, of tenant, label form, options and label bytes; a hit
// trusts the hash (an accidental clash has a probability of about 1e-26 at a million aliases, and nobody
// outside knows the secret). Several spellings of one label set are several aliases of one stream. Only
// streams that pass validation are entered. At most kAliasesMax; a part of the table that is full is emptied,
// and its streams are parsed again when they are next seen. Threads: thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/append_batch.h"
#include "engine/base/mutex.h"
#include "ingest/decoded_push.h"

namespace varve {

// What is known about a stream. Immutable.
struct StreamFacts {
  StreamOrdinal ordinal = 0;
  // The level that the stream's labels give each entry (normalised), and the encoded metadata with that
  // level alone; both empty when they give none.
  std::string label_level;
  std::string label_level_metadata;
};

class StreamAliasTable {
 public:
  static constexpr size_t kAliasesMax = 1 << 20;

  struct Key {
    uint64_t low = 0;
    uint64_t high = 0;
    bool operator==(const Key&) const = default;
  };

  StreamAliasTable();
  // `aliases_max` is for tests.
  explicit StreamAliasTable(size_t aliases_max);

  Key MakeKey(std::string_view tenant, std::string_view options, LabelForm form,
              std::string_view labels) const;
  // Null when unknown.
  std::shared_ptr<const StreamFacts> Find(const Key& key) const;
  void Insert(const Key& key, std::shared_ptr<const StreamFacts> facts);
  size_t size() const;

 private:
  static constexpr size_t kParts = 16;

  struct KeyHash {
    size_t operator()(const Key& key) const { return key.low; }
  };
  struct Part {
    mutable SharedMutex mu;
    std::unordered_map<Key, std::shared_ptr<const StreamFacts>, KeyHash> facts VARVE_GUARDED_BY(mu);
  };
  Part& PartOf(const Key& key) { return parts_[key.high % kParts]; }
  const Part& PartOf(const Key& key) const { return parts_[key.high % kParts]; }

  const size_t part_max_;
  std::array<uint8_t, 192> secret_;  // constant after construction
  std::array<Part, kParts> parts_;
};

}  // namespace varve
