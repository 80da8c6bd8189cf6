// The encoded form of up to ~1 MB of log rows: one tenant, many streams, column by column.
//
// Bytes on disk: docs/format.md, "Log block". Rows are grouped by stream and, within a stream, sorted
// by (timestamp, order of arrival). The encoder takes the same LogColumns that the decoder fills, so
// Decode(Encode(x)) == x row by row; metadata sets may come back in another order, or one a row.
// Checks: the header and section directory have one checksum, each section its own; a decode verifies
// the header and the sections it reads, nothing else. Hostile bytes give kCorruption naming the
// section and offset; what is allocated is bounded by the limits below whatever the bytes claim.
// Threads: free functions, thread-safe; each thread keeps one zstd context and scratch buffers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/scan.h"

namespace varve {

// Limits of the format: a block that claims more is corrupt, and encoding more is refused.
inline constexpr uint32_t kLogBlockRowsMax = 1 << 20;
inline constexpr uint32_t kLogBlockLineBytesMax = 256 << 20;
inline constexpr uint32_t kLogBlockMetadataBytesMax = 256 << 20;

enum class LogBlockCodec : uint8_t {
  kRaw = 0,  // zstd over all lines, back to back
};

// One stream's rows in a block. Streams are listed in the order of their rows.
struct LogBlockStream {
  uint64_t fingerprint = 0;
  uint32_t row_count = 0;
  bool operator==(const LogBlockStream&) const = default;
};

struct LogBlockHeader {
  LogBlockCodec codec = LogBlockCodec::kRaw;
  uint32_t row_count = 0;
  uint32_t stream_count = 0;
  uint32_t line_bytes = 0;  // decoded, without padding
  int64_t min_ts_ns = 0;
  int64_t max_ts_ns = 0;
};

// Appends the encoded block to `out`. `columns` needs timestamps and lines (not the padding); metadata
// is optional, and kept byte for byte whatever it is. Row counts of `streams` are not 0 and add up to
// row_count; each stream's timestamps do not descend. kTooLarge: over the limits above.
Status EncodeLogBlock(const LogColumns& columns, std::span<const LogBlockStream> streams, std::string* out);

// Checks magic, version, codec, sizes and the header's checksum.
Result<LogBlockHeader> ReadLogBlockHeader(std::string_view block);

// Fills the columns in `want` (row_count always); the others are left empty. On an error `out` holds
// nothing of use.
Status DecodeLogBlock(std::string_view block, ColumnMask want, LogColumns* out);

Result<std::vector<LogBlockStream>> DecodeLogBlockStreams(std::string_view block);

// Upper bound of the memory that decoding `want` will take, for a reservation before it is spent.
Result<int64_t> LogBlockDecodedBytes(std::string_view block, ColumnMask want);

// Every checksum, every column, and that timestamps lie within the header's span and ascend within
// each stream.
Status VerifyLogBlock(std::string_view block);

}  // namespace varve
