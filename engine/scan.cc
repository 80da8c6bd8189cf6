#include "engine/scan.h"

namespace varve {

int64_t LogColumns::MemoryBytes() const {
  return static_cast<int64_t>(sizeof(*this) + timestamps_ns.capacity() * sizeof(int64_t) +
                              line_offsets.capacity() * sizeof(uint32_t) + lines.capacity() +
                              metadata_codes.capacity() * sizeof(uint32_t) +
                              metadata_sets.capacity() * sizeof(std::string_view) + metadata_bytes.capacity());
}

}  // namespace varve
