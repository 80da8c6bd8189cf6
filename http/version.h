// What Varve calls itself, and which Loki, Prometheus and Alertmanager its APIs follow.
#pragma once

#include <string_view>

namespace varve {

inline constexpr std::string_view kVarveVersion = VARVE_VERSION;  // from http/CMakeLists.txt
// Grafana gates features by the version that buildinfo answers with.
inline constexpr std::string_view kLokiApiVersion = "3.7.6";
inline constexpr std::string_view kPrometheusApiVersion = "3.14.0";
inline constexpr std::string_view kAlertmanagerApiVersion = "0.34.0";

}  // namespace varve
