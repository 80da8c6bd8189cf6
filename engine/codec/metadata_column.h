// The structured metadata of a block's rows: few distinct sets in a table, values that differ from row
// to row in columns of their own.
//
// Bytes on disk: docs/format.md, "Log block", METADATA.
// Threads: free functions, thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "engine/scan.h"

namespace varve {

// Row i has sets[codes[i]]. Appends nothing when no row has metadata.
void EncodeMetadataColumn(std::span<const uint32_t> codes, std::span<const std::string_view> sets,
                          std::string* out);

// Fills the metadata columns of `out`, whose row_count is set. Messages of errors say what is wrong,
// not where: the caller knows the section.
Status DecodeMetadataColumn(std::string_view bytes, LogColumns* out);

// Bytes of metadata_bytes after DecodeMetadataColumn, as the section declares them; bounded.
Result<uint64_t> MetadataColumnRebuiltBytes(std::string_view bytes);

}  // namespace varve
