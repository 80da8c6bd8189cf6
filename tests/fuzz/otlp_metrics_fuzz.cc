// OTLP metrics: the first byte chooses protobuf (0) or JSON.
#include "tests/support/metric_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  varve::testing::FuzzMetrics(varve::MetricWire::kOtlp, body,
                              data[0] == 0 ? "application/x-protobuf" : "application/json", "");
  return 0;
}
