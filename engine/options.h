// Everything the engine can be told. Each limit has a name (its key in varve.yaml), a default and a
// metric; docs/operations.md lists them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/row_filter.h"

namespace rocksdb {
class Env;
}

namespace varve {

class RetentionPolicy;
class RetentionSource;

enum class Durability {
  kProcess,  // an acknowledged push survives kill -9; a power cut can take the last sync_interval_ms
  kDisk,     // an acknowledged push survives a power cut (synced in groups before the answer)
};

struct EngineOptions {
  std::string data_dir;
  Durability durability = Durability::kProcess;

  // memory.budget. 0 = a quarter of the machine's memory, at most 4 GiB. Divided among journal, heads,
  // caches and queries by engine/memory_plan.h.
  int64_t memory_budget_bytes = 0;

  // Lock domains over streams. 0 = 4 per core, at least 8. Fixed when a data directory is created.
  uint32_t shard_count = 0;
  // Lock domains over series of metrics. 0 = 4. Fixed when a data directory is created.
  uint32_t metric_shard_count = 0;
  // Threads that encode and write packs. 0 = half the cores, at least 1.
  uint32_t encode_threads = 0;
  // Threads that run queries. 0 = one per core.
  uint32_t query_threads = 0;

  // A shard is cut when its head holds this many bytes of lines (0 = from the memory budget), or when
  // its oldest entry has waited this long.
  int64_t cut_bytes = 0;
  int64_t cut_age_ms = 60 * 60 * 1000;
  // The same for metric shards.
  int64_t metric_cut_bytes = 0;
  int64_t metric_cut_age_ms = 2 * 60 * 60 * 1000;
  // Exemplars kept of all series together, the newest, and metrics of a tenant of which metadata are kept.
  uint32_t exemplars_max = 100'000;
  uint32_t metadata_max = 50'000;
  // The journal holds at most this many bytes of bodies before cuts are forced. 0 = from the budget.
  int64_t journal_bytes_max = 0;
  // Background sync of the journal in kProcess mode.
  int64_t sync_interval_ms = 200;
  // How long a push may wait for room in the heads before it is shed.
  int64_t append_wait_ms_max = 2000;

  // Encoding. A block is closed at either bound.
  uint32_t block_bytes = 1 << 20;
  uint32_t block_rows = 1 << 16;
  int64_t bucket_ns = 3600LL * 1'000'000'000;

  // Entries older than this are dropped bucket by bucket, and refused on arrival. 0 = keep everything.
  int64_t retention_ns = 0;
  // How long each stream is kept, where that differs or changes while the engine runs; then it, not
  // retention_ns, decides. Null = retention_ns for all.
  std::shared_ptr<RetentionSource> retention;
  // Told, in a sentence for the log, what an operator wants to know of background work. May be null.
  std::function<void(const std::string&)> notice;
  // Packs beyond this many bytes are dropped, oldest buckets first; 0 = none are.
  int64_t retention_size_bytes = 0;
  // … and so are packs while the data directory's file system is fuller than this; 0 = none are.
  double retention_disk_fraction = 0;
  int64_t retention_check_interval_ms = 10 * 60 * 1000;

  // Compaction (engine/compaction.cc). Off: packs are merged and deleted rows removed only when asked for.
  bool compaction_enabled = true;
  int64_t compaction_interval_ms = 60 * 1000;
  int64_t compaction_bytes_per_second = 64 << 20;  // read and written together; 0 = no limit

  // Deletes. How long a request can be cancelled before its rows are removed from the disk; they are hidden
  // at once.
  int64_t delete_cancel_period_ns = 24LL * 3600 * 1'000'000'000;
  // Whether rows that a tenant deleted may leave the disk at all. Null = always.
  std::function<bool(std::string_view tenant)> may_remove_deleted;
  // Requests that hide rows, of all tenants; more are refused. Each costs every query that it concerns.
  uint32_t delete_requests_max = 10'000;
  // Turns the query of a delete request into code; without it deletes are refused.
  RowFilterFactory row_filter_factory;

  // Pushes are refused above this share of the data directory's file system; queries go on.
  double disk_full_fraction = 0.9;

  const Clock* clock = &Clock::System();
  // Test hook: the file system under both RocksDB instances. Null = the real one.
  rocksdb::Env* env = nullptr;
};

// The policy in force under these options.
std::shared_ptr<const RetentionPolicy> RetentionPolicyOf(const EngineOptions& options);

}  // namespace varve
