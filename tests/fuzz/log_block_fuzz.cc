// Arbitrary bytes as a log block: first as they are, then with size and checksums repaired, so that what lies
// behind them is reached. A block that decodes must survive encoding and decoding again.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/codec/checksum.h"
#include "engine/codec/log_block.h"

namespace varve {
namespace {

constexpr ColumnMask kAll = kTimestamps | kLines | kMetadata;
constexpr size_t kHeaderBytes = 40;
constexpr size_t kEntryBytes = 24;

// False when there is no room for the section entries.
bool Repair(std::string* bytes) {
  if (bytes->size() < kHeaderBytes) return false;
  char* p = bytes->data();
  std::memcpy(p, "VLB1\x01\x00", 6);
  const size_t sections = static_cast<uint8_t>(p[6]);
  const size_t checked = kHeaderBytes + sections * kEntryBytes;
  if (bytes->size() < checked + 8) return false;
  const auto size = static_cast<uint32_t>(bytes->size());
  std::memcpy(p + 20, &size, sizeof(size));
  for (size_t s = 0; s < sections; ++s) {
    char* entry = p + kHeaderBytes + s * kEntryBytes;
    const auto offset = LoadFixed<uint32_t>(entry + 4);
    const auto stored = LoadFixed<uint32_t>(entry + 8);
    if (offset > bytes->size() || stored > bytes->size() - offset) continue;
    const uint64_t checksum = Checksum(std::string_view(*bytes).substr(offset, stored));
    std::memcpy(entry + 16, &checksum, sizeof(checksum));
  }
  const uint64_t checksum = Checksum(std::string_view(*bytes).substr(0, checked));
  std::memcpy(p + checked, &checksum, sizeof(checksum));
  return true;
}

void CheckSameRows(const LogColumns& a, const LogColumns& b) {
  VARVE_CHECK(a.row_count == b.row_count && a.timestamps_ns == b.timestamps_ns);
  for (uint32_t i = 0; i < a.row_count; ++i) {
    VARVE_CHECK(a.Line(i) == b.Line(i) && a.Metadata(i) == b.Metadata(i));
  }
}

void Try(std::string_view block) {
  for (const ColumnMask want : {kTimestamps, kLengths, kMetadata, kAll}) {
    LogColumns columns;
    const Status status = DecodeLogBlock(block, want, &columns);
    VARVE_CHECK(status.ok() || status.code() == Code::kCorruption);
    if (status.ok()) VARVE_CHECK(columns.MemoryBytes() <= LogBlockDecodedBytes(block, want).value());
  }
  VerifyLogBlock(block).IgnoreError("any answer will do");
  LogColumns columns;
  const auto streams = DecodeLogBlockStreams(block);
  if (!streams.ok() || !DecodeLogBlock(block, kAll, &columns).ok()) return;
  std::string again;
  VARVE_CHECK(EncodeLogBlock(columns, streams.value(), &again).ok());
  LogColumns columns_again;
  VARVE_CHECK(DecodeLogBlock(again, kAll, &columns_again).ok());
  CheckSameRows(columns, columns_again);
}

}  // namespace
}  // namespace varve

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  varve::Try(bytes);
  if (varve::Repair(&bytes)) varve::Try(bytes);
  return 0;
}
