// The checksum of everything on disk: XXH3-64, seed 0.
#pragma once

#include <cstdint>
#include <string_view>

namespace varve {

uint64_t Checksum(std::string_view bytes);

}  // namespace varve
