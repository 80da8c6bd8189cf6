// Which entries of a body were refused, by their number in the body: what replay must leave out again.
//
// Kept as runs, because refused entries come in runs (a whole stream, everything older than…).
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/bytes.h"

namespace varve {

class RejectList {
 public:
  // Entry numbers ascend from call to call.
  void Add(uint32_t first, uint32_t count = 1);
  // Forgets the entries from `first` on.
  void DropFrom(uint32_t first);
  bool Contains(uint32_t entry) const;
  // Whether all of [first, first + count) is refused. True for count = 0.
  bool ContainsAll(uint32_t first, uint32_t count) const;

  bool empty() const { return runs_.empty(); }
  void Clear() { runs_.clear(); }

  // varint number of runs; for each, varint gap since the end of the one before, varint length.
  void Encode(std::string* out) const;
  // False when the bytes are malformed.
  bool Decode(ByteReader* reader);

  bool operator==(const RejectList&) const = default;

 private:
  struct Run {
    uint32_t first = 0;
    uint32_t count = 0;
    bool operator==(const Run&) const = default;
  };
  // The run that could hold `entry`, or null.
  const Run* Find(uint32_t entry) const;

  std::vector<Run> runs_;  // ascending, not touching
};

}  // namespace varve
