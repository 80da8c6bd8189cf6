// The value of limits.otlp_config: from YAML and back.
//
//   {resource_attributes: {ignore_defaults: false, attributes_config: [{action: index_label, attributes: [a]}]},
//    scope_attributes: [{action: drop, regex: "tmp.*"}], log_attributes: [], severity_text_as_label: false}
//
// Threads: thread-safe (pure functions).
#pragma once

#include <string>

#include "engine/base/status.h"
#include "ingest/otlp_config.h"

namespace YAML {
class Node;
}

namespace varve {

// `node` is a map. kInvalidArgument says what is wrong; `config` is then as it was.
Status ReadOtlpConfig(const YAML::Node& node, OtlpConfig* config);
// On one line; what ReadOtlpConfig takes. Parts that are empty are left out.
std::string PrintOtlpConfig(const OtlpConfig& config);

}  // namespace varve
