#include "query/exec/stream_order.h"

#include <xxhash.h>

#include <algorithm>
#include <string>

namespace varve {

uint64_t StreamOrderHash(const Labels& labels) {
  std::string bytes;
  for (const Label& label : labels) {
    bytes += label.name;
    bytes += '\xff';
    bytes += label.value;
    bytes += '\xff';
  }
  return XXH64(bytes.data(), bytes.size(), 0);
}

StreamOrder::StreamOrder(const std::vector<SelectedStream>& streams, Direction direction)
    : ranks_(streams.size()) {
  std::vector<std::pair<uint64_t, uint32_t>> order;  // hash, stream
  order.reserve(streams.size());
  for (uint32_t i = 0; i < streams.size(); ++i) order.emplace_back(StreamOrderHash(*streams[i].labels), i);
  std::sort(order.begin(), order.end());
  if (direction == Direction::kBackward) std::reverse(order.begin(), order.end());
  for (uint32_t rank = 0; rank < order.size(); ++rank) ranks_[order[rank].second] = rank;
}

}  // namespace varve
