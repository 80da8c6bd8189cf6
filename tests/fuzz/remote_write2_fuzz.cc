// Remote write 2.0 bodies.
#include "tests/support/metric_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  varve::testing::FuzzRemoteWrite(data, size, "application/x-protobuf;proto=io.prometheus.write.v2.Request");
  return 0;
}
