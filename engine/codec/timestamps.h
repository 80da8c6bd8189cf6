// The timestamps of several streams' rows, each stream's ascending.
//
// Bytes on disk: docs/format.md, "Log block", TIMESTAMPS.
// Threads: free functions, thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/base/bytes.h"
#include "engine/codec/log_block.h"

namespace varve {

// `streams` says how many rows each stream has; every one has at least one. `least_ns` is the least
// timestamp of all.
void EncodeTimestamps(std::span<const int64_t> timestamps_ns, std::span<const LogBlockStream> streams,
                      int64_t least_ns, std::string* out);

// Row counts of `streams` must add up to out.size(). False when the bytes are not such a column.
[[nodiscard]] bool DecodeTimestamps(ByteReader* reader, std::span<const LogBlockStream> streams,
                                    int64_t least_ns, std::span<int64_t> out);

}  // namespace varve
