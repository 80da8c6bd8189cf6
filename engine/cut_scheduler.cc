// When shards are cut, and how a cut becomes packs.
//
// A cut is consistent: with the shard's gate held exclusively no append is between its journal write
// and its head, so "everything up to the journal's last number" is exactly what the head holds. The
// gate is held for a pointer swap; encoding happens later, from the sealed segment, which readers go
// on seeing until the commit replaces it by packs.
#include <algorithm>
#include <chrono>

#include "engine/base/failpoint.h"
#include "engine/engine_impl.h"
#include "engine/metrics/metric_store_impl.h"

namespace varve {
namespace {

constexpr auto kSchedulerTick = std::chrono::milliseconds(50);
constexpr int64_t kRetryDelayFirstMs = 100;
constexpr int64_t kRetryDelayMaxMs = 5000;

}  // namespace

JournalSeq EngineImpl::CutSeq() const {
  return recovered_.load(std::memory_order_acquire) ? stores_.journal->last_seq()
                                                    : replayed_through_.load(std::memory_order_relaxed);
}

void EngineImpl::WakeCutScheduler() { cut_wake_.NotifyAll(); }

void EngineImpl::RunJournalSync() {
  while (!closing_.load(std::memory_order_relaxed)) {
    {
      const MutexLock lock(cut_mu_);
      if (closing_.load(std::memory_order_relaxed)) return;
      sync_wake_.WaitFor(cut_mu_, std::chrono::milliseconds(options_.sync_interval_ms));
    }
    // A failure is remembered by the journal: the next append reports it.
    stores_.journal->Sync().IgnoreError("the journal refuses appends from here on");
  }
}

void EngineImpl::RunCutScheduler() {
  auto next_idle_commit = std::chrono::steady_clock::now();
  while (!closing_.load(std::memory_order_relaxed)) {
    for (const CutTarget& target : ShardsToCut()) Cut(target);
    if (std::chrono::steady_clock::now() >= next_idle_commit && !MaybeCommitIdleShards().ok()) {
      next_idle_commit = std::chrono::steady_clock::now() + std::chrono::milliseconds(kRetryDelayMaxMs);
    }
    const MutexLock lock(cut_mu_);
    if (!closing_.load(std::memory_order_relaxed)) cut_wake_.WaitFor(cut_mu_, kSchedulerTick);
  }
}

std::vector<EngineImpl::CutTarget> EngineImpl::CutCandidates(JournalSeq flush_through) {
  std::vector<JournalSeq> watermarks;
  std::vector<JournalSeq> metric_watermarks;
  {
    const MutexLock lock(commit_mu_);
    watermarks = watermarks_;
    metric_watermarks = metric_watermarks_;
  }
  const int64_t now_ns = options_.clock->NowNs();
  std::vector<CutTarget> candidates;
  for (const auto& shard : shards_) {
    const MutexLock lock(shard->mu);
    if (shard->active->empty() || shard->sealed != nullptr) continue;
    const bool due = shard->active->memory_bytes() >= options_.cut_bytes ||
                     now_ns - shard->active->first_append_ns() >= options_.cut_age_ms * kNsPerMs ||
                     watermarks[shard->number] < flush_through;
    candidates.push_back({.logs = shard.get(),
                          .budget = &heads_budget_,
                          .bytes = shard->active->memory_bytes(),
                          .watermark = watermarks[shard->number],
                          .due = due});
  }
  for (const auto& shard : metric_store_->shards()) {
    const ReaderLock lock(shard->mu);
    if (shard->active->empty() || shard->sealed != nullptr) continue;
    const JournalSeq watermark = metric_watermarks[shard->number - kMetricShardFirst];
    const bool due = shard->active->memory_bytes() >= options_.metric_cut_bytes ||
                     now_ns - shard->active->first_append_ns >= options_.metric_cut_age_ms * kNsPerMs ||
                     watermark < flush_through;
    candidates.push_back({.metrics = shard.get(),
                          .budget = metric_store_->heads_budget(),
                          .bytes = shard->active->memory_bytes(),
                          .watermark = watermark,
                          .due = due});
  }
  std::sort(candidates.begin(), candidates.end(), [](const CutTarget& a, const CutTarget& b) {
    return a.due != b.due ? a.due : a.bytes > b.bytes;
  });
  return candidates;
}

std::vector<EngineImpl::CutTarget> EngineImpl::ShardsToCut() {
  size_t slots = 0;
  JournalSeq flush_through = 0;
  {
    const MutexLock lock(cut_mu_);
    // One more than can be encoded at once, so that encoders never wait for the scheduler.
    const size_t running_max = options_.encode_threads + 1;
    if (cuts_running_ >= running_max) return {};
    slots = running_max - cuts_running_;
    flush_through = flush_through_;
  }
  const std::vector<CutTarget> candidates = CutCandidates(flush_through);
  std::vector<CutTarget> chosen;
  for (const CutTarget& candidate : candidates) {
    if (chosen.size() < slots && candidate.due) chosen.push_back(candidate);
  }
  if (!chosen.empty() || candidates.empty()) return chosen;
  // Pressure: heads are filling up, or one quiet shard holds the journal's trim back.
  for (const CutTarget& candidate : candidates) {
    if (candidate.budget->used_bytes() > candidate.budget->limit_bytes() / 10 * 6) return {candidate};
  }
  if (journal_gauge_.LiveBytes() > static_cast<uint64_t>(options_.journal_bytes_max) / 2) {
    chosen.push_back(*std::min_element(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
      return a.watermark < b.watermark;
    }));
  }
  return chosen;
}

void EngineImpl::Cut(const CutTarget& target) {
  if (target.logs != nullptr) {
    CutShard(target.logs);
    return;
  }
  if (!metric_store_->CutShard(target.metrics)) return;
  SubmitCut([this, shard = target.metrics] { metric_store_->FinishCut(shard); });
}

void EngineImpl::SubmitCut(std::function<void()> finish) {
  {
    const MutexLock lock(cut_mu_);
    ++cuts_running_;
  }
  if (encode_pool_->TrySubmit(std::move(finish))) return;
  // Only while closing: the entries stay readable and in the journal.
  const MutexLock lock(cut_mu_);
  --cuts_running_;
}

bool EngineImpl::CutShard(Shard* shard) {
  auto fresh = std::make_shared<LogSegment>(&chunk_pool_, &heads_budget_);
  shard->EnterExclusive();
  bool cut = false;
  {
    const MutexLock lock(shard->mu);
    if (!shard->active->empty() && shard->sealed == nullptr) {
      shard->sealed_through = CutSeq();
      shard->sealed = std::move(shard->active);
      shard->active = std::move(fresh);
      cut = true;
    }
  }
  shard->LeaveExclusive();
  if (!cut) return false;
  VARVE_KILL_POINT("after_cut");
  SubmitCut([this, shard] { FinishCut(shard); });
  return true;
}

Result<CutResult> EngineImpl::EncodeSealed(Shard* shard, const LogSegment& segment) {
  CutOptions cut;
  cut.shard = shard->number;
  cut.bucket_ns = options_.bucket_ns;
  cut.writer.block_bytes = options_.block_bytes;
  cut.writer.block_rows = options_.block_rows;
  cut.class_of = [this, policy = RetentionPolicyOf(options_)](const StreamInfo& stream) {
    return policy->ClassOf(policy->PeriodNs(streams_.TenantName(stream.tenant), stream.labels));
  };
  cut.next_pack_number = [this] { return last_pack_number_.fetch_add(1, std::memory_order_relaxed) + 1; };
  return WritePacks(segment, streams_, cut, stores_.packs.get());
}

void EngineImpl::FinishCut(Shard* shard) {
  std::shared_ptr<const LogSegment> segment;
  {
    const MutexLock lock(shard->mu);
    segment = shard->sealed;
  }
  // Two steps with different rules for trying again: packs may be written anew under new numbers, but
  // once a commit was tried it may have happened, so only the very same one may follow.
  std::optional<CutResult> written;
  RunCut([&]() -> Status {
    if (!written.has_value()) {
      VARVE_ASSIGN_OR_RETURN(written, EncodeSealed(shard, *segment));
      VARVE_KILL_POINT("after_all_packs");
    }
    VARVE_RETURN_IF_ERROR(CommitCut(shard, &*written));
    segment.reset();  // before the news that there is room
    return Status::Ok();
  });
}

void EngineImpl::RunCut(const std::function<Status()>& attempt) {
  int64_t delay_ms = kRetryDelayFirstMs;
  for (;;) {
    const Status status = attempt();
    if (status.ok()) break;
    NoteCutFailure(status);
    const MutexLock lock(cut_mu_);
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(delay_ms);
    while (!closing_.load(std::memory_order_relaxed) && std::chrono::steady_clock::now() < until) {
      cut_wake_.WaitFor(cut_mu_, std::chrono::milliseconds(delay_ms));
    }
    delay_ms = std::min(delay_ms * 2, kRetryDelayMaxMs);
    if (closing_.load(std::memory_order_relaxed)) break;
  }
  {
    const MutexLock lock(cut_mu_);
    --cuts_running_;
  }
  cut_progress_.NotifyAll();
  cut_wake_.NotifyAll();
  room_.NotifyAll();
}

std::vector<MetaCommit::Watermark> EngineImpl::IdleWatermarks() {
  std::vector<MetaCommit::Watermark> idle;
  if (!recovered_.load(std::memory_order_acquire)) return idle;
  for (const auto& shard : shards_) {
    const auto has_nothing = [&] {
      const MutexLock lock(shard->mu);
      return shard->active->empty() && shard->sealed == nullptr;
    };
    if (!has_nothing()) continue;
    shard->EnterExclusive();
    if (has_nothing()) idle.push_back({.shard = shard->number, .seq = CutSeq()});
    shard->LeaveExclusive();
  }
  for (const auto& shard : metric_store_->shards()) {
    const MutexLock append_lock(shard->append_mu);
    const ReaderLock lock(shard->mu);
    if (shard->active->empty() && shard->sealed == nullptr) {
      idle.push_back({.shard = shard->number, .seq = CutSeq()});
    }
  }
  return idle;
}

JournalSeq EngineImpl::LeastWatermark() const {
  JournalSeq least = *std::min_element(watermarks_.begin(), watermarks_.end());
  for (const JournalSeq watermark : metric_watermarks_) least = std::min(least, watermark);
  return least;
}

Status EngineImpl::CommitWithWatermarks(MetaCommit* commit) {
  for (const MetaCommit::Watermark& idle : IdleWatermarks()) commit->watermarks.push_back(idle);
  const std::vector<JournalSeq> before = watermarks_;
  const std::vector<JournalSeq> metric_before = metric_watermarks_;
  for (const MetaCommit::Watermark& watermark : commit->watermarks) {
    const bool metric = watermark.shard >= kMetricShardFirst;
    (metric ? metric_watermarks_[watermark.shard - kMetricShardFirst] : watermarks_[watermark.shard]) = watermark.seq;
  }
  commit->trim_journal_through = LeastWatermark();
  Status status = stores_.meta->Commit(*commit);
  if (!status.ok()) {
    watermarks_ = before;
    metric_watermarks_ = metric_before;
    return status;
  }
  journal_gauge_.TrimmedThrough(commit->trim_journal_through);
  stores_.journal->FreeTrimmed(commit->trim_journal_through).IgnoreError("the next commit tries again");
  return Status::Ok();
}

Status EngineImpl::CommitCut(Shard* shard, const CutResult* cut) {
  std::vector<CatalogPackPtr> packs;
  MetaCommit commit;
  if (cut != nullptr) {
    for (const WrittenPack& pack : cut->packs) {
      packs.push_back(std::make_shared<CatalogPack>(
          CatalogPack{.id = pack.id, .summary = SummaryOf(pack.directory, pack.id.number)}));
      commit.added.push_back(EncodeCatalogPack(*packs.back()));
      pack_indexes_.Put(pack.id, pack.directory).IgnoreError("a cache; the query that needs it will say");
    }
  }
  const MutexLock commit_lock(commit_mu_);
  if (cut != nullptr) {
    const MutexLock lock(shard->mu);
    commit.watermarks.push_back({.shard = shard->number, .seq = shard->sealed_through});
  }
  VARVE_RETURN_IF_ERROR(CommitWithWatermarks(&commit));
  if (cut == nullptr) return Status::Ok();

  counters_.cuts.fetch_add(1, std::memory_order_relaxed);
  counters_.duplicate_entries_dropped.fetch_add(cut->duplicates_dropped, std::memory_order_relaxed);
  for (const CatalogPackPtr& pack : packs) {
    counters_.packs_written.fetch_add(1, std::memory_order_relaxed);
    counters_.blocks_written.fetch_add(pack->summary.block_count, std::memory_order_relaxed);
    counters_.encoded_line_bytes.fetch_add(pack->summary.line_bytes, std::memory_order_relaxed);
    counters_.encoded_block_bytes.fetch_add(pack->summary.encoded_bytes, std::memory_order_relaxed);
  }
  const MutexLock lock(shard->mu);
  auto catalog = std::make_shared<Catalog>(*shard->catalog);
  catalog->insert(catalog->end(), packs.begin(), packs.end());
  shard->catalog = std::move(catalog);
  shard->sealed = nullptr;
  return Status::Ok();
}

Status EngineImpl::MaybeCommitIdleShards() {
  JournalSeq flush_through = 0;
  {
    const MutexLock lock(cut_mu_);
    if (cuts_running_ != 0) return Status::Ok();  // its commit will do
    flush_through = flush_through_;
  }
  {
    const MutexLock lock(commit_mu_);
    if (LeastWatermark() >= flush_through) return Status::Ok();
  }
  // Nothing runs, yet records are live that no head needs.
  Status status = CommitCut(nullptr, nullptr);
  if (!status.ok()) NoteCutFailure(status);
  cut_progress_.NotifyAll();
  return status;
}

void EngineImpl::NoteCutFailure(const Status& status) {
  {
    const MutexLock lock(cut_mu_);
    ++cut_failures_;
    last_cut_failure_ = status.Clone();
  }
  cut_progress_.NotifyAll();
}

Status EngineImpl::Flush() {
  if (!recovered_.load(std::memory_order_acquire)) return Unavailable("the journal is still being replayed");
  const JournalSeq through = stores_.journal->last_seq();
  uint64_t failures_before = 0;
  {
    const MutexLock lock(cut_mu_);
    flush_through_ = std::max(flush_through_, through);
    failures_before = cut_failures_;
  }
  WakeCutScheduler();
  JournalSeq trimmed = 0;
  for (;;) {
    {
      const MutexLock lock(commit_mu_);
      trimmed = LeastWatermark();
      if (trimmed >= through) break;
    }
    const MutexLock lock(cut_mu_);
    if (cut_failures_ != failures_before) return last_cut_failure_.Clone();
    if (closing_.load(std::memory_order_relaxed)) return Unavailable("shutting down");
    cut_progress_.WaitFor(cut_mu_, std::chrono::milliseconds(20));
  }
  return stores_.journal->Reclaim(trimmed);
}

}  // namespace varve
