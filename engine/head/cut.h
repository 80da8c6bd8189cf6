// Encodes a sealed segment into packs: sorted, without duplicates, one pack per time bucket and retention class.
//
// Streams are written so that similar ones sit side by side: by tenant, then by labels without those
// that number instances, then by labels. A cut that spans more buckets than kPacksPerCutMax puts
// neighbouring buckets into one pack, which then belongs to the newest of them.
// Threads: free function; several cuts may run at once.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/base/status.h"
#include "engine/head/log_segment.h"
#include "engine/index/stream_table.h"
#include "engine/packs/pack_directory.h"
#include "engine/packs/pack_store.h"
#include "engine/packs/pack_writer.h"

namespace varve {

inline constexpr size_t kPacksPerCutMax = 32;

struct CutOptions {
  uint16_t shard = 0;
  int64_t bucket_ns = 0;
  PackWriterOptions writer;
  // Streams of different classes go into packs of their own. Null: all are of class 0.
  std::function<uint8_t(const StreamInfo& stream)> class_of;
  std::function<uint64_t()> next_pack_number;  // ascending, never used before
};

struct WrittenPack {
  PackId id;
  PackDirectory directory;
};

struct CutResult {
  std::vector<WrittenPack> packs;  // ascending numbers
  uint64_t duplicates_dropped = 0;
};

// Writes the packs and syncs them. After an error none of them is left (or, when dropping failed too,
// they are orphans that the next open drops).
Result<CutResult> WritePacks(const LogSegment& segment, const StreamTable& streams, const CutOptions& options,
                             PackStore* store);

}  // namespace varve
