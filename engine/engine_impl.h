// The engine behind engine.h, over any journal, meta store and pack store.
//
// One class, one file per concern: engine_impl.cc (open, close, identity, statistics), append.cc,
// cut_scheduler.cc (when and how shards are cut), recovery.cc, retention.cc, snapshot.cc (reading).
// Lock order: commit_mu_ → Shard's (see shard.h) → the leaf locks inside journal, caches, stream table,
// cut_mu_ and room_mu_.
// Threads: as engine.h.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/base/thread_pool.h"
#include "engine/bucket_generations.h"
#include "engine/delete_ledger.h"
#include "engine/disk_monitor.h"
#include "engine/engine.h"
#include "engine/head/chunk_pool.h"
#include "engine/head/cut.h"
#include "engine/index/stream_table.h"
#include "engine/journal/hot_db.h"
#include "engine/journal/journal.h"
#include "engine/journal_gauge.h"
#include "engine/memory_plan.h"
#include "engine/meta/meta_store.h"
#include "engine/pack_catalog.h"
#include "engine/pack_index_cache.h"
#include "engine/pack_merge.h"
#include "engine/packs/block_cache.h"
#include "engine/packs/pack_store.h"
#include "engine/retention_policy.h"
#include "engine/shard.h"

namespace varve {

class MetricStoreImpl;
struct MetricShard;

// What an engine stands on. `hot` is null when journal and meta store are twins in memory.
struct EngineStores {
  std::unique_ptr<HotDb> hot;  // destroyed last
  std::unique_ptr<Journal> journal;
  std::unique_ptr<MetaStore> meta;
  std::unique_ptr<PackStore> packs;
};

// For tests: an engine over the given stores. options.data_dir is only asked for its free space.
Result<std::unique_ptr<Engine>> OpenWith(const EngineOptions& options, EngineStores stores);

class EngineImpl final : public Engine {
 public:
  EngineImpl(const EngineOptions& resolved, EngineStores stores);
  ~EngineImpl() override;

  // Reads settings, streams and packs; drops orphans. To be called once, before anything else.
  Status Load();

  Status Recover(const ReplayFn& replay) override;
  Result<TenantId> InternTenant(std::string_view name) override;
  Result<TenantId> FindTenant(std::string_view name) const override;
  Result<StreamOrdinal> InternStream(TenantId tenant, const Labels& labels) override;
  const Labels& StreamLabels(StreamOrdinal stream) const override;
  TenantId StreamTenant(StreamOrdinal stream) const override { return streams_.Get(stream).tenant; }
  Status Append(const AppendBatch& batch, std::string_view record) override;
  void SetAppendObserver(AppendObserver* observer) override {
    append_observer_.store(observer, std::memory_order_release);
  }
  Status Flush() override;
  Result<std::unique_ptr<const LogSnapshot>> SnapshotLogs(TenantId tenant,
                                                          const std::vector<Matcher>& matchers,
                                                          TimeRange range) const override;
  Result<std::vector<const Labels*>> SelectStreams(TenantId tenant, const std::vector<Matcher>& matchers,
                                                   TimeRange range) const override;
  std::optional<uint64_t> DataGeneration(TimeRange range) const override;
  Result<DeleteRequest> AddDelete(std::string_view tenant, std::string_view query, int64_t start_ns,
                                  int64_t end_ns) override VARVE_EXCLUDES(commit_mu_);
  std::vector<DeleteRequest> ListDeletes(std::string_view tenant) const override;
  Status CancelDelete(std::string_view tenant, std::string_view id, bool force) override
      VARVE_EXCLUDES(commit_mu_);
  uint64_t DeleteGeneration(std::string_view tenant) const override;
  Status Compact() override VARVE_EXCLUDES(cut_mu_);
  Status Checkpoint(const std::string& directory) override VARVE_EXCLUDES(commit_mu_);
  MemoryBudget* ingest_budget() override { return &ingest_budget_; }
  MetricStore& metrics() override;
  RecordStore& records() override { return *stores_.meta; }
  MemoryBudget* query_budget() override { return &query_budget_; }
  ThreadPool* query_pool() override { return &query_pool_; }
  const EngineOptions& options() const override { return options_; }
  EngineStats Stats() const override;
  Status Close() override;

 private:
  friend class LogSnapshotBuilder;
  friend class JournalReplay;
  friend class MetricAppend;
  friend class MetricHeadEncoder;
  friend class MetricStoreImpl;
  friend class EngineTestPeer;  // tests/support

  Shard& ShardOf(StreamOrdinal stream) const {
    return *shards_[streams_.Get(stream).fingerprint % shards_.size()];
  }

  // --- engine_impl.cc
  Status LoadSettings();
  Status LoadPacks();
  Status LoadWatermarks();
  Status LoadStreams();
  Status DropOrphans(const std::set<PackId>& known);
  Status RestoreStreams(std::unordered_set<uint64_t>* lost);
  Status ForEachPackStream(const std::function<Status(const PackDirectory&, const PackStream&)>& fn) const;

  // --- append.cc
  Status CheckDisk(uint64_t record_bytes);
  // Takes `bytes` from a budget of heads, waiting for room if there is hope of some.
  Status AdmitToHeads(MemoryBudget* heads, int64_t bytes);
  // Copies the batch's entries of `shard` into its head.
  void AppendToHead(Shard* shard, const AppendBatch& batch, const std::vector<uint32_t>& streams);

  // --- cut_scheduler.cc
  void RunCutScheduler();
  void RunJournalSync();
  // A shard that could be cut: of logs or of metrics.
  struct CutTarget {
    Shard* logs = nullptr;
    MetricShard* metrics = nullptr;
    const MemoryBudget* budget = nullptr;
    int64_t bytes = 0;
    JournalSeq watermark = 0;
    bool due = false;  // for its own sake
  };
  // Those that are due first, then the largest.
  std::vector<CutTarget> CutCandidates(JournalSeq flush_through) VARVE_EXCLUDES(commit_mu_);
  std::vector<CutTarget> ShardsToCut() VARVE_EXCLUDES(cut_mu_);
  void Cut(const CutTarget& target) VARVE_EXCLUDES(cut_mu_);
  // Hands what finishes a cut to the encoders.
  void SubmitCut(std::function<void()> finish) VARVE_EXCLUDES(cut_mu_);
  // Tries, ever more slowly, until it works or the engine closes; then counts the cut as done.
  void RunCut(const std::function<Status()>& attempt) VARVE_EXCLUDES(cut_mu_);
  // Freezes the shard's head and hands it to the encoders. False when there is nothing to cut or the
  // last cut is not committed yet.
  bool CutShard(Shard* shard) VARVE_EXCLUDES(cut_mu_);
  // Encodes and commits the sealed segment.
  void FinishCut(Shard* shard);
  Result<CutResult> EncodeSealed(Shard* shard, const LogSegment& segment);
  // The record up to which no shard needs the journal.
  JournalSeq LeastWatermark() const VARVE_REQUIRES(commit_mu_);
  // Commits with the watermarks in `commit`, those of idle shards, and the journal's trim.
  Status CommitWithWatermarks(MetaCommit* commit) VARVE_REQUIRES(commit_mu_);
  // Commits `cut` (null: watermarks of idle shards only).
  Status CommitCut(Shard* shard, const CutResult* cut) VARVE_EXCLUDES(commit_mu_);
  // Watermarks that shards without entries in memory may take.
  std::vector<MetaCommit::Watermark> IdleWatermarks() VARVE_REQUIRES(commit_mu_);
  // For a flush that waits on shards with nothing to cut.
  Status MaybeCommitIdleShards() VARVE_EXCLUDES(cut_mu_, commit_mu_);
  void NoteCutFailure(const Status& status) VARVE_EXCLUDES(cut_mu_);
  void WakeCutScheduler() VARVE_EXCLUDES(cut_mu_);
  JournalSeq CutSeq() const;

  // --- retention.cc
  void RunRetention();
  Status DropExpiredPacks() VARVE_EXCLUDES(commit_mu_, retention_mu_);
  // Beyond storage.retention_size and storage.retention_disk_fraction.
  Status DropBeyondSize() VARVE_EXCLUDES(commit_mu_);
  int64_t BytesBeyondSize(const std::vector<CatalogPackPtr>& packs) const VARVE_EXCLUDES(commit_mu_);
  std::vector<CatalogPackPtr> CatalogPacks() const;
  // The last instant at which an entry of the pack is kept.
  int64_t PackExpiresNs(const CatalogPack& pack, const RetentionPolicy& policy) VARVE_REQUIRES(retention_mu_);
  // Those of `ids` that are in a catalog; returns how many.
  Result<size_t> DropPacks(const std::set<PackId>& ids) VARVE_EXCLUDES(commit_mu_);
  void FreeDroppedPacks() VARVE_EXCLUDES(commit_mu_);
  // The oldest instant that readers still see of anything, and of one stream.
  int64_t RetentionBeginNs() const;
  int64_t RetentionBeginNs(StreamOrdinal stream) const;
  // From here on retention hides nothing of any stream.
  int64_t RetentionSettledNs() const;

  // --- deletes.cc
  Status LoadDeletes();
  // New packs must never look as if a request that is `through` up to here had come after them. While loading.
  void RaiseLastPackNumber(uint64_t through);
  // How many packs the request still concerns.
  uint64_t PacksLeft(const LiveDelete& live) const;

  // --- compaction.cc
  struct CompactionPass;
  void RunCompaction();
  // Merges and rewrites until there is nothing left to do.
  Status CompactionRound(bool all);
  bool IsRemovable(const DeleteRequest& request) const;
  CompactionPass MakePass(bool all) const;
  bool HoldsRowsOf(const LiveDelete& live, const PackIndex& index) const;
  bool MustRewrite(const CatalogPack& pack, const CompactionPass& pass);
  std::vector<CatalogPackPtr> PlanCompaction(const Shard& shard, const CompactionPass& pass);
  // Waits as long as so many bytes may take, and longer while the heads are filling up.
  Status Pace(uint64_t bytes) VARVE_EXCLUDES(cut_mu_);
  // False when the engine closes before the time is over.
  bool WaitToCompact(int64_t delay_ms) VARVE_EXCLUDES(cut_mu_);
  Status CompactPacks(Shard* shard, const std::vector<CatalogPackPtr>& packs, const CompactionPass& pass);
  std::vector<uint64_t> AppliedDeletes(const std::vector<MergeInput>& inputs) const;
  bool StillHolds(const Shard& shard, const std::vector<MergeInput>& inputs) const;
  Result<bool> CommitCompaction(Shard* shard, const std::vector<MergeInput>& inputs,
                                const CatalogPackPtr& output) VARVE_EXCLUDES(commit_mu_);
  Status BeginRemoving();
  Status FinishRemoving() VARVE_EXCLUDES(commit_mu_);
  Status ReplaceRequest(const DeleteRequest& request, const LiveDelete* live) VARVE_EXCLUDES(commit_mu_);

  const EngineOptions options_;  // resolved
  const MemoryPlan plan_;
  EngineStores stores_;
  StreamTable streams_;
  mutable DiskMonitor disk_;
  // Bumped by whatever changes what readers see: appends and replay, retention, deletes.
  BucketGenerations generations_;

  MemoryBudget total_budget_;
  MemoryBudget heads_budget_;
  MemoryBudget ingest_budget_;
  MemoryBudget query_budget_;
  MemoryBudget block_cache_budget_;
  MemoryBudget pack_index_budget_;
  MemoryBudget compaction_budget_;
  ChunkPool chunk_pool_;
  mutable BlockCache block_cache_;
  mutable PackIndexCache pack_indexes_;
  JournalGauge journal_gauge_;

  std::vector<std::unique_ptr<Shard>> shards_;  // constant after Load
  std::atomic<uint64_t> last_pack_number_{0};   // numbers are only drawn from it

  // Streams found at open that no pack has: kept in the meta store until recovery has shown whether
  // the journal needs them. By StreamKey.
  Mutex unconfirmed_mu_;
  std::map<std::string, StreamRecord> unconfirmed_streams_ VARVE_GUARDED_BY(unconfirmed_mu_);

  std::unique_ptr<MetricStoreImpl> metric_store_;

  DeleteLedger delete_ledger_;  // changed under commit_mu_

  // Serialises commits, so that the trim never passes a watermark that is not stored.
  mutable Mutex commit_mu_;
  std::vector<JournalSeq> watermarks_ VARVE_GUARDED_BY(commit_mu_);         // by shard
  std::vector<JournalSeq> metric_watermarks_ VARVE_GUARDED_BY(commit_mu_);  // by metric shard, from 0
  std::vector<CatalogPackPtr> dropped_packs_ VARVE_GUARDED_BY(commit_mu_);  // not freed yet

  // When packs expire, as far as that was worked out, under which policy. Before commit_mu_.
  Mutex retention_mu_;
  std::shared_ptr<const RetentionPolicy> pack_expires_policy_ VARVE_GUARDED_BY(retention_mu_);
  std::unordered_map<uint64_t, int64_t> pack_expires_ns_ VARVE_GUARDED_BY(retention_mu_);  // by pack number

  // The scheduler's desk.
  mutable Mutex cut_mu_;
  CondVar cut_wake_;      // for the scheduler and for cuts that wait to try again
  CondVar cut_progress_;  // for Flush
  CondVar sync_wake_;     // for the journal's periodic sync
  CondVar retention_wake_;
  size_t cuts_running_ VARVE_GUARDED_BY(cut_mu_) = 0;
  JournalSeq flush_through_ VARVE_GUARDED_BY(cut_mu_) = 0;
  uint64_t cut_failures_ VARVE_GUARDED_BY(cut_mu_) = 0;
  Status last_cut_failure_ VARVE_GUARDED_BY(cut_mu_);

  // Engine::Compact asks by counting up; the compaction thread answers.
  CondVar compaction_wake_;
  CondVar compaction_done_;
  uint64_t compactions_asked_ VARVE_GUARDED_BY(cut_mu_) = 0;
  uint64_t compactions_answered_ VARVE_GUARDED_BY(cut_mu_) = 0;
  Status last_compaction_ VARVE_GUARDED_BY(cut_mu_);
  // The compaction thread's own.
  std::set<uint64_t> damaged_packs_;  // by number; left alone until the process ends
  std::chrono::steady_clock::time_point pace_due_{};

  // For pushes that wait for room in the heads.
  Mutex room_mu_;
  CondVar room_;

  // recovered_ and closing_ go from false to true once; a late reader only does a little more work.
  std::atomic<bool> recovered_{false};
  std::atomic<bool> closing_{false};
  std::atomic<JournalSeq> replayed_through_{0};  // written by recovery, one thread at a time

  // Set by its owner, read after every append. An append that misses an observer had put its entries under
  // the shard's lock before, so that a snapshot taken after SetAppendObserver shows them: release and acquire
  // are there for what the pointer leads to, not for that.
  std::atomic<AppendObserver*> append_observer_{nullptr};

  // Statistics: relaxed counters, they publish nothing.
  struct Counters {
    std::atomic<uint64_t> appended_entries{0}, appended_line_bytes{0}, shed_appends{0};
    std::atomic<uint64_t> replayed_records{0}, replayed_entries{0};
    std::atomic<uint64_t> cuts{0}, packs_written{0}, blocks_written{0}, encoded_line_bytes{0};
    std::atomic<uint64_t> encoded_block_bytes{0}, duplicate_entries_dropped{0}, packs_dropped_by_retention{0};
    std::atomic<uint64_t> packs_dropped_by_size{0}, bytes_dropped_by_size{0};
    std::atomic<uint64_t> compactions{0}, compaction_failures{0}, compaction_packs_in{0};
    std::atomic<uint64_t> compaction_bytes_in{0}, compaction_bytes_out{0}, compaction_blocks_copied{0};
    std::atomic<uint64_t> compaction_blocks_decoded{0}, compaction_rows_removed{0}, compaction_duplicates{0};
    std::atomic<double> recovery_seconds{0};
  } counters_;
  mutable std::atomic<int64_t> journal_memory_peak_{0};

  // Last, so that their threads end before what they use.
  ThreadPool query_pool_;
  std::unique_ptr<ThreadPool> encode_pool_;
  std::unique_ptr<ThreadPool> background_pool_;
  std::unique_ptr<ThreadPool> compaction_pool_;
};

}  // namespace varve
