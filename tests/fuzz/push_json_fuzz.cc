// Push bodies in JSON, the legacy form included.
#include "tests/support/push_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  varve::testing::FuzzPush({reinterpret_cast<const char*>(data), size}, "application/json", "", true);
  return 0;
}
