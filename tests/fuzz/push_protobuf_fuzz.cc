// Push bodies in protobuf. The first byte chooses what is around the rest: 0 a snappy block that we make of
// it (so that mutations reach the protobuf walk), 1 nothing (the rest is the snappy block), 2 to 5 gzip,
// deflate, zstd, lz4.
#include <snappy.h>

#include "tests/support/push_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const char* const kEncodings[] = {"", "", "gzip", "deflate", "zstd", "lz4"};
  std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t kind = data[0] % 6;
  if (kind == 0) {
    std::string block;
    snappy::Compress(body.data(), body.size(), &block);
    body = block;
  }
  varve::testing::FuzzPush(body, "application/x-protobuf", kEncodings[kind], false);
  return 0;
}
