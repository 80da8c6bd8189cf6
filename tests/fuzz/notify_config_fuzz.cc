// Arbitrary alertmanager.yml files and `alerting:` sections.
//
// Whatever the text: no crash, errors with the file's name, never without words; in a configuration that is taken
// every route names a receiver that there is; and what is shown of it is YAML that reads without a syntax error.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "alerting/notify/external_alertmanagers.h"
#include "alerting/notify/notify_config.h"
#include "alerting/yaml_document.h"
#include "engine/base/check.h"

namespace {

using namespace varve;

void CheckRoute(const RouteConfig& route, const NotifyConfig& config) {
  const auto named = [&](const ReceiverConfig& receiver) { return receiver.name == route.receiver; };
  VARVE_CHECK(std::any_of(config.receivers.begin(), config.receivers.end(), named));
  VARVE_CHECK(route.group_interval_ms > 0 && route.repeat_interval_ms > 0 && route.group_wait_ms >= 0);
  for (const RouteConfig& child : route.routes) CheckRoute(child, config);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 1 << 16) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = ParseNotifyConfig(text, "am.yml", "/nowhere");
  if (config.ok()) {
    CheckRoute(config->route, *config);
    VARVE_CHECK(ParseYaml(config->original, "shown").ok());
  } else {
    VARVE_CHECK(config.status().message().starts_with("am.yml"));
  }
  const auto targets = ParseAlertmanagers(text, "varve.yaml");
  VARVE_CHECK(targets.ok() || targets.status().message().starts_with("varve.yaml"));
  return 0;
}
