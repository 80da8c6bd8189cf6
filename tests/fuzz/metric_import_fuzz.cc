// Imports: the first byte chooses JSON lines (0), Prometheus's text (1) or OpenMetrics.
#include "tests/support/metric_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  varve::testing::FuzzMetrics(
      data[0] == 0 ? varve::MetricWire::kImportJson : varve::MetricWire::kImportOpenMetrics, body,
      data[0] == 1 ? "text/plain" : "application/openmetrics-text", "");
  return 0;
}
