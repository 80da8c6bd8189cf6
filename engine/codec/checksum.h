// The checksum of everything on disk: XXH3-64, seed 0.
#pragma once

#include <cstdint>
#include <string_view>

namespace varve {

uint64_t Checksum(std::string_view bytes);

// Tells contents apart within this process: XXH3-128 with a seed of its own, so that nobody can make two of one key.
// Never stored.
struct ContentKey {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const ContentKey&) const = default;
};
ContentKey ContentKeyOf(std::string_view bytes);

}  // namespace varve
