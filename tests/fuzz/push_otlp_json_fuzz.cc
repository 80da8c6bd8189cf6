// OTLP requests in JSON.
#include "tests/support/push_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  varve::testing::FuzzOtlpPush({reinterpret_cast<const char*>(data), size}, "application/json", "");
  return 0;
}
