// Gathers the rows of one log block, in the layout that EncodeLogBlock takes.
//
// Call order: (StartStream Add*)* then Encode, then Clear. Buffers are kept between blocks.
// Ownership: lines and metadata are copied. Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/status.h"
#include "engine/codec/log_block.h"
#include "engine/scan.h"

namespace varve {

class LogBlockBuilder {
 public:
  void StartStream(uint64_t fingerprint);
  // Timestamps must not descend within a stream. kTooLarge: the row does not fit the block's limits;
  // it was not taken.
  Status Add(int64_t ts_ns, std::string_view line, std::string_view metadata);

  // Appends the encoded block to `out`. Streams without rows are left out.
  Status Encode(std::string* out);
  void Clear();

  uint32_t row_count() const { return columns_.row_count; }
  uint64_t line_bytes() const { return columns_.lines.size(); }
  // Lines and metadata as given: what the size of a block is measured by.
  uint64_t raw_bytes() const { return columns_.lines.size() + raw_metadata_bytes_; }
  const std::vector<int64_t>& timestamps_ns() const { return columns_.timestamps_ns; }

 private:
  Result<uint32_t> MetadataCode(std::string_view metadata);

  LogColumns columns_;
  std::vector<LogBlockStream> streams_;
  // Distinct metadata: offset and size in columns_.metadata_bytes, which moves as it grows.
  struct Span {
    uint32_t offset;
    uint32_t size;
  };
  std::vector<Span> sets_;
  std::unordered_multimap<uint64_t, uint32_t> set_by_hash_;
  uint32_t last_code_ = 0;
  uint64_t raw_metadata_bytes_ = 0;
};

}  // namespace varve
