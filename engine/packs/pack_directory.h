// What a pack holds: its streams, its blocks, and which rows of which block belong to which stream.
//
// Bytes on disk: docs/format.md, "Pack directory". Self-contained: streams are named by tenant and
// labels, so a pack can be read without the hot DB and on another machine. Counting rows and bytes of
// a stream over blocks that lie wholly inside a time range needs nothing but this.
// Memory: 40 bytes a row range; `streams` and `tenants` may be cleared once mapped to ordinals.
// Threads: a value; share const.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace varve {

// Limits of the format: a directory that claims more is corrupt.
inline constexpr uint32_t kPackBlocksMax = 1 << 20;
inline constexpr uint32_t kPackStreamsMax = 1 << 24;
inline constexpr uint32_t kPackRangesMax = 1 << 25;
inline constexpr uint32_t kPackDirectoryBytesMax = 1 << 30;  // decoded

struct PackStream {
  uint64_t fingerprint = 0;
  uint32_t tenant = 0;           // index into PackDirectory::tenants
  std::string canonical_labels;  // Labels::Canonical()
  bool operator==(const PackStream&) const = default;
};

// One stream's rows in one block.
struct PackRowRange {
  uint32_t stream = 0;  // index into PackDirectory::streams
  uint32_t row_begin = 0;
  uint32_t row_count = 0;
  uint32_t line_bytes = 0;  // exact
  int64_t min_ts_ns = 0;
  int64_t max_ts_ns = 0;
  bool operator==(const PackRowRange&) const = default;
};

struct PackBlock {
  uint32_t row_count = 0;
  uint32_t line_bytes = 0;
  uint32_t encoded_bytes = 0;
  uint32_t tenant = 0;  // a block never mixes tenants
  int64_t min_ts_ns = 0;
  int64_t max_ts_ns = 0;
  // Into PackDirectory::ranges; ascending row_begin, without gaps.
  uint32_t range_begin = 0;
  uint32_t range_count = 0;
  bool operator==(const PackBlock&) const = default;
};

struct PackDirectory {
  std::vector<std::string> tenants;  // names
  std::vector<PackStream> streams;
  std::vector<PackBlock> blocks;  // block i of the pack
  std::vector<PackRowRange> ranges;
  uint64_t row_count = 0;
  uint64_t line_bytes = 0;
  uint64_t encoded_bytes = 0;  // of the blocks
  int64_t min_ts_ns = 0;
  int64_t max_ts_ns = 0;

  std::span<const PackRowRange> RangesOf(const PackBlock& block) const {
    return std::span(ranges).subspan(block.range_begin, block.range_count);
  }
  bool operator==(const PackDirectory&) const = default;
};

void EncodePackDirectory(const PackDirectory& directory, std::string* out);
// Checks magic, version, checksum, and that all numbers fit together.
Result<PackDirectory> DecodePackDirectory(std::string_view bytes);

}  // namespace varve
