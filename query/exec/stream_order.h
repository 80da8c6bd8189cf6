// The order among entries of equal time in different streams.
//
// Nothing of meaning, but it decides what a limit cuts off, and Loki's choice is kept: ascending by a hash of
// the stream's labels, in both directions.
// Threads: immutable after construction.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/scan.h"
#include "query/exec/query.h"

namespace varve {

// xxh64 of each name and value, each followed by 0xFF.
uint64_t StreamOrderHash(const Labels& labels);

class StreamOrder {
 public:
  StreamOrder(const std::vector<SelectedStream>& streams, Direction direction);

  // The rank of streams[stream]; to be compared as times are: ascending in a forward query, descending in a
  // backward one.
  uint32_t Rank(uint32_t stream) const { return ranks_[stream]; }

 private:
  std::vector<uint32_t> ranks_;
};

}  // namespace varve
