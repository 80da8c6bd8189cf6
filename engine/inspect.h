// Looking into a data directory: `varve inspect` and `varve verify`.
//
// Both open it read-only and change nothing; a server may run meanwhile, and they see what it had stored
// at one moment. kInvalidArgument: unknown format version. kIoError / kCorruption: it cannot be read at
// all.
// Threads: free functions.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/base/status.h"

namespace varve {

struct InspectedPack {
  uint64_t number = 0;
  int32_t bucket = 0;
  uint32_t shard = 0;
  int64_t min_ts_ns = 0;
  int64_t max_ts_ns = 0;
  uint64_t streams = 0;
  uint64_t blocks = 0;
  uint64_t entries = 0;
  uint64_t line_bytes = 0;
  uint64_t block_bytes = 0;    // encoded
  uint64_t bytes_on_disk = 0;  // of its file; 0 when the store does not have the pack
};

struct InspectedBucket {
  int64_t begin_ns = 0;  // the bucket is [begin_ns, begin_ns + DataDirReport::bucket_ns)
  uint64_t packs = 0;
  uint64_t blocks = 0;
  uint64_t entries = 0;
  uint64_t line_bytes = 0;
  uint64_t block_bytes = 0;
};

struct DataDirReport {
  uint32_t format_version = 0;
  uint32_t shard_count = 0;
  int64_t bucket_ns = 0;
  uint64_t streams = 0;
  std::map<std::string, uint64_t> streams_by_tenant;
  std::vector<InspectedPack> packs;            // ascending by number
  std::map<int32_t, InspectedBucket> buckets;  // by number of bucket
  InspectedBucket total;                       // of all packs; begin_ns means nothing
  uint64_t pack_bytes_on_disk = 0;
  uint64_t orphan_packs = 0;          // written, never committed; the next start drops them
  uint64_t journal_live_records = 0;  // above the lowest watermark: not yet in packs everywhere
  uint64_t journal_live_bytes = 0;
  uint64_t journal_last_seq = 0;
  std::vector<uint64_t> watermarks;  // by shard
};

Result<DataDirReport> InspectDataDir(const std::string& data_dir);

struct VerifyProblem {
  std::string where;  // "block 3 of pack 17 (bucket 493712, shard 3)", "journal", …
  Status status;
};

struct VerifyTotals {
  uint64_t packs = 0;
  uint64_t blocks = 0;
  uint64_t entries = 0;
  uint64_t journal_records = 0;
  uint64_t streams = 0;
  uint64_t problems = 0;
};

// Reads everything: each checksum of each block, that blocks and directories agree, that committed packs
// are there and their summaries true, the streams, and every live journal record. `on_problem` is
// called for each thing found wrong; orphans are no problem. `on_pack(done, all)`, if set, tells how
// far it is.
Result<VerifyTotals> VerifyDataDir(const std::string& data_dir,
                                   const std::function<void(const VerifyProblem&)>& on_problem,
                                   const std::function<void(uint64_t, uint64_t)>& on_pack = nullptr);

}  // namespace varve
