// Arbitrary bytes as a metric pack's directory: as they are, then split into core and labels of one whose
// checksum is right. A directory that decodes must come back the same from encoding and decoding again.
#include <cstdint>
#include <string>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/codec/checksum.h"
#include "engine/packs/metric_pack_directory.h"

namespace varve {
namespace {

void Try(std::string_view bytes) {
  const auto directory = DecodeMetricPackDirectory(bytes, MetricLabels::kRead);
  if (!directory.ok()) {
    VARVE_CHECK(directory.status().code() == Code::kCorruption);
    return;
  }
  std::string again;
  EncodeMetricPackDirectory(*directory, &again);
  const auto decoded_again = DecodeMetricPackDirectory(again, MetricLabels::kRead);
  VARVE_CHECK(decoded_again.ok() && *decoded_again == *directory);
  for (uint32_t s = 0; s < std::min(directory->series_count(), 16U); ++s) {
    std::vector<uint32_t> blocks;
    directory->FindChunks(s, {}, &blocks);
    for (const uint32_t block : blocks) {
      VARVE_CHECK(directory->blocks[block].first_series <= s && s <= directory->blocks[block].last_series);
      directory->TimelineBlockOf(directory->blocks[block].span, s);
    }
  }
}

// The first byte says how much of the rest is the core.
std::string AsParts(std::string_view bytes) {
  const size_t core_size =
      bytes.empty() ? 0 : std::min<size_t>(static_cast<uint8_t>(bytes[0]), bytes.size() - 1);
  const std::string_view rest = bytes.substr(bytes.empty() ? 0 : 1);
  std::string out("VMD1\x01\x00\x00\x00", 8);
  for (const size_t part : {core_size, rest.size() - core_size}) {
    PutFixed(&out, static_cast<uint32_t>(part));
    PutFixed(&out, static_cast<uint32_t>(part));
  }
  out += rest;
  PutFixed(&out, Checksum(out));
  return out;
}

}  // namespace
}  // namespace varve

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  varve::Try(bytes);
  varve::Try(varve::AsParts(bytes));
  return 0;
}
