// Arbitrary bytes as a pack directory: as they are, then as the payload of one whose checksum is right.
// A directory that decodes must come back the same from encoding and decoding again.
#include <cstdint>
#include <string>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/codec/checksum.h"
#include "engine/packs/pack_directory.h"
#include "engine/packs/pack_id.h"

namespace varve {
namespace {

void Try(std::string_view bytes) {
  const auto directory = DecodePackDirectory(bytes);
  if (!directory.ok()) {
    VARVE_CHECK(directory.status().code() == Code::kCorruption);
    return;
  }
  std::string again;
  EncodePackDirectory(directory.value(), &again);
  const auto decoded_again = DecodePackDirectory(again);
  VARVE_CHECK(decoded_again.ok() && decoded_again.value() == directory.value());
}

std::string AsPayload(std::string_view payload) {
  std::string bytes("VPD1\x01\x00\x00\x00", 8);
  PutFixed(&bytes, static_cast<uint32_t>(payload.size()));
  PutFixed(&bytes, static_cast<uint32_t>(payload.size()));
  bytes += payload;
  PutFixed(&bytes, Checksum(bytes));
  return bytes;
}

}  // namespace
}  // namespace varve

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  varve::Try(bytes);
  varve::Try(varve::AsPayload(bytes));
  varve::PackId id;
  uint32_t block = 0;
  if (varve::ParsePackKey(bytes, &id, &block)) VARVE_CHECK(varve::PackKey(id, block) == bytes);
  return 0;
}
