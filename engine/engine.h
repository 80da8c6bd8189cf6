// The storage engine: start here.
//
// Takes decoded pushes, makes them durable in the journal, keeps the newest in heads in memory, cuts
// heads into packs of immutable blocks, and gives consistent snapshots to readers.
//
//   Life of a write: Admit bytes (budgets) → InternStream for unknown label sets → Append: journal
//   first, then heads → later a cut encodes the head's rows into a pack and commits it together with
//   the shard's watermark, after which the journal's records below all watermarks are dropped.
//   Exactly once: a record is replayed into a shard only if its number is above that shard's watermark.
//
// Call order: Open, Recover, then anything, then Close. Until Recover returns, Append is refused
// (kUnavailable) and snapshots show packs only.
// Threads: thread-safe, except that Open, Recover and Close are the owner's.
// docs/architecture.md follows a write and a query through the code; docs/format.md has the bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/append_batch.h"
#include "engine/append_observer.h"
#include "engine/base/memory_budget.h"
#include "engine/base/status.h"
#include "engine/base/thread_pool.h"
#include "engine/base/time.h"
#include "engine/delete_request.h"
#include "engine/metric_store.h"
#include "engine/model/labels.h"
#include "engine/model/matcher.h"
#include "engine/options.h"
#include "engine/record_store.h"
#include "engine/scan.h"

namespace varve {

// A point-in-time reading of the engine's counters and gauges, for /metrics and `varve inspect`.
struct EngineStats {
  struct Budget {
    std::string name;
    int64_t limit_bytes = 0;
    int64_t used_bytes = 0;
    int64_t peak_bytes = 0;
  };
  uint64_t appended_entries = 0;
  uint64_t appended_line_bytes = 0;
  uint64_t shed_appends = 0;  // refused for want of memory or disk
  uint64_t journal_records = 0;      // appended since start
  uint64_t journal_record_bytes = 0;
  uint64_t journal_live_bytes = 0;   // not yet covered by packs
  uint64_t journal_syncs = 0;
  uint64_t replayed_records = 0;
  uint64_t replayed_entries = 0;
  double recovery_seconds = 0;
  uint64_t cuts = 0;
  uint64_t cut_failures = 0;
  uint64_t packs_written = 0;
  uint64_t blocks_written = 0;
  uint64_t encoded_line_bytes = 0;
  uint64_t encoded_block_bytes = 0;
  uint64_t duplicate_entries_dropped = 0;  // at cuts
  uint64_t streams = 0;
  uint64_t head_entries = 0;
  uint64_t head_line_bytes = 0;
  uint64_t packs = 0;
  uint64_t pack_bytes = 0;
  uint64_t pack_entries = 0;
  uint64_t packs_dropped_by_retention = 0;
  uint64_t packs_dropped_by_size = 0;
  uint64_t bytes_dropped_by_size = 0;
  uint64_t compactions = 0;  // merges committed
  uint64_t compaction_failures = 0;
  uint64_t compaction_packs_in = 0;
  uint64_t compaction_bytes_in = 0;   // of blocks read
  uint64_t compaction_bytes_out = 0;  // of blocks written
  uint64_t compaction_blocks_copied = 0;
  uint64_t compaction_blocks_decoded = 0;
  uint64_t compaction_rows_removed = 0;  // by delete requests and retention
  uint64_t compaction_duplicates_dropped = 0;
  uint64_t delete_requests = 0;  // that hide rows
  uint64_t block_cache_hits = 0;
  uint64_t block_cache_misses = 0;
  uint64_t block_cache_bytes = 0;
  MetricStoreStats metrics;
  double disk_used_fraction = 0;
  bool accepting_writes = false;
  std::vector<Budget> budgets;
};

// Takes what a journal record decodes to. One record may give several batches.
class ReplaySink {
 public:
  virtual ~ReplaySink() = default;
  virtual void OnLogs(const AppendBatch& batch) = 0;
  // Without the samples that were refused when the record was written.
  virtual void OnMetrics(TenantId tenant, const MetricBatch& batch) = 0;
};

// Decodes one journal record, as given to Engine::Append or by a MetricRecordFn, into `sink`.
// Called from several threads at once; must intern streams and series as the first decoding did.
using ReplayFn = std::function<Status(std::string_view record, ReplaySink* sink)>;

class Engine {
 public:
  // Opens or creates options.data_dir. kIoError / kInvalidArgument / kCorruption name the path and the
  // reason: not writable, in use by another process, written by an unknown version.
  static Result<std::unique_ptr<Engine>> Open(const EngineOptions& options);
  virtual ~Engine() = default;

  // Replays the journal's records above the shards' watermarks. Then starts cuts and retention.
  virtual Status Recover(const ReplayFn& replay) = 0;

  // --- Identity -------------------------------------------------------------------------------
  // The number of a tenant; created on first sight. Names are valid tenant ids (checked by http).
  virtual Result<TenantId> InternTenant(std::string_view name) = 0;
  // The number of a tenant that has been seen, or kNotFound.
  virtual Result<TenantId> FindTenant(std::string_view name) const = 0;
  // The number of a stream; created, durably, on first sight. `labels` is not empty.
  virtual Result<StreamOrdinal> InternStream(TenantId tenant, const Labels& labels) = 0;
  // Valid until the engine is destroyed.
  virtual const Labels& StreamLabels(StreamOrdinal stream) const = 0;
  virtual TenantId StreamTenant(StreamOrdinal stream) const = 0;

  // --- Writing --------------------------------------------------------------------------------
  // Makes `record` durable (see Durability) and the batch's entries readable. `record` is what Recover
  // will decode into the same batch again; the engine does not look inside.
  // kResourceExhausted / kUnavailable: no room in memory, retry later. kStorageFull: the disk is too
  // full. kIoError: the journal failed; it takes nothing more until the process restarts. In each of
  // these cases nothing of the batch is stored.
  virtual Status Append(const AppendBatch& batch, std::string_view record) = 0;
  // Who is told of every batch that Append has made readable; null: nobody. An entry is either visible to a
  // snapshot that is taken after this returned, or reported to `observer`, or both. The one before may be
  // called until the appends that are under way have returned; it must live that long.
  virtual void SetAppendObserver(AppendObserver* observer) = 0;
  // Returns when every entry appended so far is in packs and the journal's files are freed.
  virtual Status Flush() = 0;

  // Merges packs and removes what may be removed, beyond what the background does by itself, until nothing is
  // left to do. The error is the first that a merge met.
  virtual Status Compact() = 0;

  // Makes `directory`, which must not be there and should be on the same file system, a data directory of its own
  // with everything appended so far: a backup that `serve` can open. Nothing is copied that can be linked.
  virtual Status Checkpoint(const std::string& directory) = 0;

  // --- Reading --------------------------------------------------------------------------------
  // The streams that match (all of the tenant's when `matchers` is empty) and have an entry in
  // `range`, with the slices that touch it.
  virtual Result<std::unique_ptr<const LogSnapshot>> SnapshotLogs(TenantId tenant,
                                                                  const std::vector<Matcher>& matchers,
                                                                  TimeRange range) const = 0;
  // The label sets of the streams that match and have an entry in a block or head that touches
  // `range`; sorted. Cheaper than a snapshot.
  virtual Result<std::vector<const Labels*>> SelectStreams(TenantId tenant,
                                                           const std::vector<Matcher>& matchers,
                                                           TimeRange range) const = 0;

  // Equal numbers for one range mean that readers see the same entries in it as before; bucket_generations.h
  // has the rules for who keeps an answer. None where what readers see changes with the clock alone: where the
  // range reaches back behind the begin of a retention period.
  virtual std::optional<uint64_t> DataGeneration(TimeRange range) const = 0;
  // --- Deleting -------------------------------------------------------------------------------
  // Hides, from now on and from every reader, the tenant's entries that are stored now, lie in
  // [start_ns, end_ns] and are taken by `query` (EngineOptions::row_filter_factory says what that may be).
  // Flushes the heads first. Their bytes go when compaction comes by after delete_cancel_period_ns.
  // kInvalidArgument: the query; nothing is deleted. kResourceExhausted: too many requests.
  virtual Result<DeleteRequest> AddDelete(std::string_view tenant, std::string_view query, int64_t start_ns,
                                          int64_t end_ns) = 0;
  // The tenant's requests, oldest first; also those that are done, for a while.
  virtual std::vector<DeleteRequest> ListDeletes(std::string_view tenant) const = 0;
  // Makes the entries visible again. kNotFound: no such request. kInvalidArgument: it is done, or (unless
  // `force`) past the cancel period; what has been removed by then stays removed.
  virtual Status CancelDelete(std::string_view tenant, std::string_view id, bool force) = 0;
  // Changes whenever the tenant's deletes change what it can see; 0 when there never were any.
  virtual uint64_t DeleteGeneration(std::string_view tenant) const = 0;

  // --- Metrics --------------------------------------------------------------------------------
  virtual MetricStore& metrics() = 0;

  // Facts of parts beside the engine (record_store.h).
  virtual RecordStore& records() = 0;

  // --- Shared means ---------------------------------------------------------------------------
  // For bodies being received and decoded; reserve before allocating.
  virtual MemoryBudget* ingest_budget() = 0;
  // The sum of all queries; a query's own budget is a child of it.
  virtual MemoryBudget* query_budget() = 0;
  virtual ThreadPool* query_pool() = 0;
  virtual const EngineOptions& options() const = 0;
  virtual EngineStats Stats() const = 0;

  // Stops background work and syncs the journal. Appends from then on fail; nothing is lost.
  virtual Status Close() = 0;
};

}  // namespace varve
