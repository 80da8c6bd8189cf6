// How the one memory budget is divided. docs/architecture.md, "Memory plan", has the table.
//
// Threads: values.
#pragma once

#include <cstdint>

#include "engine/options.h"

namespace varve {

struct MemoryPlan {
  int64_t total_bytes = 0;
  int64_t journal_memtable_bytes = 0;  // RocksDB holds up to three
  int64_t journal_bytes_max = 0;       // live records above this force cuts
  int64_t heads_bytes = 0;             // segments being filled and being encoded
  int64_t cut_bytes = 0;               // of one shard's head
  int64_t metric_heads_bytes = 0;      // of metrics
  int64_t metric_cut_bytes = 0;
  int64_t metric_blocks_bytes = 0;     // blocks of metric packs, as they are on disk
  int64_t metric_index_bytes = 0;      // their directories
  int64_t ingest_bytes = 0;
  int64_t block_cache_bytes = 0;
  int64_t pack_index_bytes = 0;
  int64_t compaction_bytes = 0;
  int64_t query_bytes = 0;

  // `options` with its zeros resolved by ResolveOptions.
  static MemoryPlan Make(const EngineOptions& options);
};

// Fills in what 0 stands for: budget, shards and threads from this machine, and cut_bytes and
// journal_bytes_max from the plan.
EngineOptions ResolveOptions(const EngineOptions& options);

}  // namespace varve
