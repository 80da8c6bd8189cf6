// What Varve calls itself, and which Loki its API follows.
#pragma once

#include <string_view>

namespace varve {

inline constexpr std::string_view kVarveVersion = "0.1.0";
// Grafana gates features by the version that buildinfo answers with.
inline constexpr std::string_view kLokiApiVersion = "3.7.6";

}  // namespace varve
