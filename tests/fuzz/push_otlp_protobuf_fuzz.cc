// OTLP requests in protobuf. The first byte chooses the Content-Encoding around the rest.
#include "tests/support/push_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const char* const kEncodings[] = {"", "gzip", "zstd", "lz4"};
  varve::testing::FuzzOtlpPush({reinterpret_cast<const char*>(data) + 1, size - 1}, "application/x-protobuf",
                               kEncodings[data[0] % 4]);
  return 0;
}
