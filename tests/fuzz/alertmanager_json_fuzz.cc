// Bodies of POST /api/v2/alerts and /api/v2/silences: whatever is read, is written again as JSON.
#include <cstdint>
#include <string>
#include <string_view>

#include "http/alertmanager_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  std::string invalid, out;
  if (const auto alerts = varve::ReadPostedAlerts(json, &invalid); alerts.ok()) {
    for (const varve::PostedAlert& alert : *alerts) {
      varve::AlertView view;
      view.alert = alert;
      varve::AppendAlertViewJson(&out, view);
    }
  }
  if (const auto silence = varve::ReadSilence(json); silence.ok()) varve::AppendSilenceJson(&out, *silence, 0);
  return 0;
}
