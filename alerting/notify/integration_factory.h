// The integrations of a configuration, with what they need to live.
//
// Threads: immutable once made, share freely; the integrations are thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "alerting/notify/receiver.h"

namespace varve {

struct IntegrationSet {
  std::shared_ptr<const void> templates;  // outlives the integrations
  std::map<std::string, std::vector<std::unique_ptr<Integration>>> by_receiver;
};

// kInvalidArgument: a template. kIoError: a file of templates.
using IntegrationFactory = std::function<Result<std::shared_ptr<IntegrationSet>>(const NotifyConfig& config)>;
// Those of receiver.h, with the default templates and the configuration's.
Result<std::shared_ptr<IntegrationSet>> MakeIntegrationSet(const NotifyConfig& config);

}  // namespace varve
