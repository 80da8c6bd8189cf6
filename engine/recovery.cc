// Replaying the journal: decoded on several threads, applied in the order of the records.
//
// The caller's thread reads records into groups (256 KiB or 256 records); workers decode groups side by
// side and take turns, by group number, to put entries into the heads. A record is applied to a shard
// only if its number is above the shard's watermark: its entries are in packs otherwise.
// A journal larger than the heads can hold is no problem: the thread whose turn it is cuts shards
// between two records, exactly as appends would have caused.
#include <chrono>
#include <deque>

#include "engine/engine_impl.h"
#include "engine/metrics/metric_store_impl.h"

namespace varve {

class JournalReplay {
 public:
  // The watermarks as they were at open.
  JournalReplay(EngineImpl* engine, const ReplayFn* replay, std::vector<JournalSeq> watermarks,
                std::vector<JournalSeq> metric_watermarks)
      : engine_(engine),
        replay_(replay),
        watermarks_(std::move(watermarks)),
        metric_watermarks_(std::move(metric_watermarks)) {}

  Status Run() {
    const size_t threads = engine_->options_.query_threads;
    groups_max_ = 2 * threads + 2;
    Status read;
    {
      ThreadPool workers("replay", threads);
      read = engine_->stores_.journal->Replay(
          std::min(*std::min_element(watermarks_.begin(), watermarks_.end()),
                   *std::min_element(metric_watermarks_.begin(), metric_watermarks_.end())),
          [&](JournalSeq seq, std::string_view record) { return Read(&workers, seq, record); });
      if (read.ok()) read = Submit(&workers);
    }  // joins: every submitted group is done
    const MutexLock lock(mu_);
    if (!failure_.ok()) return failure_.Clone();
    return read;
  }

 private:
  static constexpr size_t kGroupBytes = 256 << 10;
  static constexpr size_t kGroupRecords = 256;

  struct Record {
    JournalSeq seq;
    std::string bytes;
  };
  struct Group {
    uint64_t turn = 0;
    std::vector<Record> records;
    size_t bytes = 0;
  };

  // Applies one record's batches when it is its group's turn.
  class RecordSink final : public ReplaySink {
   public:
    RecordSink(JournalReplay* replay, uint64_t turn, JournalSeq seq, bool* my_turn)
        : replay_(replay), turn_(turn), seq_(seq), my_turn_(my_turn) {}
    void OnLogs(const AppendBatch& batch) override {
      if (Ready()) replay_->Apply(seq_, batch);
    }
    void OnMetrics(TenantId tenant, const MetricBatch& batch) override {
      if (Ready()) replay_->ApplyMetrics(seq_, tenant, batch);
    }

   private:
    bool Ready() {
      *my_turn_ = *my_turn_ || replay_->WaitForTurn(turn_);
      return *my_turn_;
    }
    JournalReplay* const replay_;
    const uint64_t turn_;
    const JournalSeq seq_;
    bool* const my_turn_;
  };

  Status Read(ThreadPool* workers, JournalSeq seq, std::string_view record) {
    next_.records.push_back({.seq = seq, .bytes = std::string(record)});
    next_.bytes += record.size();
    if (next_.bytes < kGroupBytes && next_.records.size() < kGroupRecords) return Status::Ok();
    return Submit(workers);
  }

  Status Submit(ThreadPool* workers) VARVE_EXCLUDES(mu_) {
    if (next_.records.empty()) return Status::Ok();
    {
      const MutexLock lock(mu_);
      while (failure_.ok() && groups_submitted_ - turn_ >= groups_max_) turn_passed_.Wait(mu_);
      if (!failure_.ok()) return failure_.Clone();
      next_.turn = groups_submitted_++;
    }
    auto group = std::make_shared<Group>(std::move(next_));
    next_ = Group();
    VARVE_CHECK(workers->TrySubmit([this, group] { Work(*group); }));  // fewer than groups_max_ wait
    return Status::Ok();
  }

  void Work(const Group& group) VARVE_EXCLUDES(mu_) {
    bool my_turn = false;
    Status status;
    for (const Record& record : group.records) {
      RecordSink sink(this, group.turn, record.seq, &my_turn);
      status = (*replay_)(record.bytes, &sink);
      if (!status.ok()) {
        status = std::move(status).WithContext("replaying journal record " + std::to_string(record.seq));
        break;
      }
      my_turn = my_turn || WaitForTurn(group.turn);
      if (!my_turn) return;  // another group failed
      Finish(record);
    }
    if (status.ok() && my_turn) status = MakeRoom();
    const MutexLock lock(mu_);
    if (!status.ok() && failure_.ok()) failure_ = std::move(status);
    turn_ = group.turn + 1;
    turn_passed_.NotifyAll();
  }

  // False when the replay has failed.
  bool WaitForTurn(uint64_t turn) VARVE_EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    while (turn_ < turn && failure_.ok()) turn_passed_.Wait(mu_);
    return failure_.ok();
  }

  void Apply(JournalSeq seq, const AppendBatch& batch) {
    for (uint32_t i = 0; i < batch.streams.size(); ++i) {
      if (batch.streams[i].count == 0) continue;
      Shard& shard = engine_->ShardOf(batch.streams[i].stream);
      if (seq <= watermarks_[shard.number]) continue;
      engine_->AppendToHead(&shard, batch, {i});
      engine_->counters_.replayed_entries.fetch_add(batch.streams[i].count, std::memory_order_relaxed);
    }
  }

  void ApplyMetrics(JournalSeq seq, TenantId tenant, const MetricBatch& batch) {
    engine_->metric_store_->Replay(seq, tenant, batch, metric_watermarks_);
  }

  void Finish(const Record& record) {
    engine_->journal_gauge_.Appended(record.seq, record.bytes.size());
    engine_->replayed_through_.store(record.seq, std::memory_order_relaxed);
    engine_->counters_.replayed_records.fetch_add(1, std::memory_order_relaxed);
  }

  // Cuts what is due; waits while the heads are too full.
  Status MakeRoom() {
    const auto full = [](const MemoryBudget& heads) { return heads.used_bytes() > heads.limit_bytes() / 10 * 8; };
    for (;;) {
      for (const EngineImpl::CutTarget& target : engine_->ShardsToCut()) engine_->Cut(target);
      const MutexLock lock(engine_->cut_mu_);
      if (!engine_->last_cut_failure_.ok()) return engine_->last_cut_failure_.Clone();
      if (engine_->cuts_running_ == 0) return Status::Ok();
      if (!full(engine_->heads_budget_) && !full(*engine_->metric_store_->heads_budget())) return Status::Ok();
      engine_->cut_progress_.WaitFor(engine_->cut_mu_, std::chrono::milliseconds(20));
    }
  }

  EngineImpl* const engine_;
  const ReplayFn* const replay_;
  const std::vector<JournalSeq> watermarks_;
  const std::vector<JournalSeq> metric_watermarks_;
  Group next_;                                // the reader's
  size_t groups_max_ = 0;

  Mutex mu_;
  CondVar turn_passed_;
  uint64_t groups_submitted_ VARVE_GUARDED_BY(mu_) = 0;
  uint64_t turn_ VARVE_GUARDED_BY(mu_) = 0;  // the group that may apply; all before it are done
  Status failure_ VARVE_GUARDED_BY(mu_);
};

Status EngineImpl::Recover(const ReplayFn& replay) {
  VARVE_CHECK(!recovered_.load(std::memory_order_relaxed));
  const auto start = std::chrono::steady_clock::now();
  std::vector<JournalSeq> watermarks;
  std::vector<JournalSeq> metric_watermarks;
  {
    const MutexLock lock(commit_mu_);
    watermarks = watermarks_;
    metric_watermarks = metric_watermarks_;
  }
  VARVE_RETURN_IF_ERROR(JournalReplay(this, &replay, std::move(watermarks), std::move(metric_watermarks)).Run());

  std::vector<StreamRecord> unused;
  {
    const MutexLock lock(unconfirmed_mu_);
    for (auto& [key, stream] : unconfirmed_streams_) unused.push_back(std::move(stream));
    unconfirmed_streams_.clear();
  }
  if (!unused.empty()) VARVE_RETURN_IF_ERROR(stores_.meta->DeleteStreams(unused));

  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  counters_.recovery_seconds.store(elapsed.count(), std::memory_order_relaxed);
  recovered_.store(true, std::memory_order_release);
  background_pool_ = std::make_unique<ThreadPool>("background", 3);
  VARVE_CHECK(background_pool_->TrySubmit([this] { RunCutScheduler(); }));
  VARVE_CHECK(background_pool_->TrySubmit([this] { RunRetention(); }));
  compaction_pool_ = std::make_unique<ThreadPool>("compaction", 1);
  VARVE_CHECK(compaction_pool_->TrySubmit([this] { RunCompaction(); }));
  if (options_.durability == Durability::kProcess) {
    VARVE_CHECK(background_pool_->TrySubmit([this] { RunJournalSync(); }));
  }
  return Status::Ok();
}

}  // namespace varve
