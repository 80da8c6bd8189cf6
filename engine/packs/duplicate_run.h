// Tells whether an entry of a stream has been seen before, given entries in ascending time.
//
// Entries are the same when timestamp, line and metadata are equal; so only entries of the current
// timestamp are remembered. Equal entries need not be neighbours (A, B, A at one instant). Cost: one
// compare per entry unless timestamps repeat, then one hash and, on a hit, one memcmp.
// Ownership: keeps views of the current timestamp's entries until the next one or Reset.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace varve {

class DuplicateRun {
 public:
  // To be called where a stream begins.
  void Reset() {
    has_first_ = false;
    others_.clear();
    by_hash_.clear();
  }
  // True when the same entry has come before; otherwise remembers it.
  bool IsDuplicate(int64_t ts_ns, std::string_view line, std::string_view metadata);

 private:
  struct Entry {
    std::string_view line;
    std::string_view metadata;
  };
  bool has_first_ = false;
  int64_t ts_ns_ = 0;
  Entry first_;  // of those at ts_ns_
  // Filled from the second entry of a timestamp on, with the first one too.
  std::vector<Entry> others_;
  std::unordered_multimap<uint64_t, uint32_t> by_hash_;  // to the index in others_
};

}  // namespace varve
