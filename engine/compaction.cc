// Compaction: small and late packs of a bucket become one, and what delete requests and retention hide leaves
// the disk. What to merge: compaction_plan.h; the merge itself: pack_merge.h. Here: when, how fast, and the
// commit.
//
// A thread of its own, of low priority, one merge at a time. The output is written and synced under a new
// number; then one commit takes the inputs out of the catalog and puts the output in, under the shard's lock,
// so that a reader sees one or the other; the inputs' files go when the last snapshot lets go of them. Killed
// before the commit, the output is an orphan, after it the inputs are: the next open drops them.
//
// The plan is made without locks. The commit checks that it still holds: that all inputs are in the catalog
// (retention may have dropped one), that no request came that covers some inputs only, and that no request was
// cancelled whose rows were left out.
#include "engine/compaction_plan.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "engine/base/failpoint.h"
#include "engine/engine_impl.h"
#include "engine/metrics/metric_store_impl.h"
#include "engine/pack_merge.h"

namespace varve {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int64_t kRetryDelayFirstMs = 100;
constexpr int64_t kRetryDelayMaxMs = 5000;
// While the heads are filling up faster than they are cut, a merge waits this long for each MiB.
constexpr auto kPauseUnderPressure = std::chrono::milliseconds(200);
constexpr int64_t kDoneRequestsKeptNs = 30LL * 24 * kNsPerHour;
constexpr size_t kDoneRequestsKeptMax = 10'000;
// Decoded, with its columns, a block takes about this many times its lines.
constexpr int64_t kDecodedFactor = 3;

void LowerThreadPriority() {
  const sched_param none{};
  sched_setscheduler(0, SCHED_BATCH, &none);
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 10);
}

}  // namespace

// What one pass knows about delete requests.
struct EngineImpl::CompactionPass {
  bool all = false;
  LiveDeletes removable;  // past their cancel period: their rows are left out
  LiveDeletes hiding;     // the others

  LiveDeletes Concerning(const CatalogPack& pack) const {
    LiveDeletes found;
    for (const LiveDeletePtr& live : removable) {
      if (live->Concerns(pack.summary)) found.push_back(live);
    }
    return found;
  }
};

void EngineImpl::RunCompaction() {
  LowerThreadPriority();
  const auto interval = std::chrono::milliseconds(std::max<int64_t>(1, options_.compaction_interval_ms));
  auto next_pass = SteadyClock::now() + interval;
  for (;;) {
    uint64_t asked = 0;
    {
      const MutexLock lock(cut_mu_);
      while (!closing_.load(std::memory_order_relaxed) && compactions_asked_ == compactions_answered_ &&
             (!options_.compaction_enabled || SteadyClock::now() < next_pass)) {
        compaction_wake_.WaitFor(cut_mu_, std::min(interval, std::chrono::milliseconds(1000)));
      }
      if (closing_.load(std::memory_order_relaxed)) return;
      asked = compactions_asked_ == compactions_answered_ ? 0 : compactions_asked_;
    }
    Status status = CompactionRound(/*all=*/asked != 0);
    next_pass = SteadyClock::now() + interval;
    const MutexLock lock(cut_mu_);
    if (!status.ok()) counters_.compaction_failures.fetch_add(1, std::memory_order_relaxed);
    if (asked != 0) {
      compactions_answered_ = asked;
      last_compaction_ = std::move(status);
      compaction_done_.NotifyAll();
    }
  }
}

Status EngineImpl::Compact() {
  if (!recovered_.load(std::memory_order_acquire)) return Unavailable("the journal is still being replayed");
  const MutexLock lock(cut_mu_);
  const uint64_t mine = ++compactions_asked_;
  compaction_wake_.NotifyAll();
  while (compactions_answered_ < mine && !closing_.load(std::memory_order_relaxed)) {
    compaction_done_.WaitFor(cut_mu_, std::chrono::milliseconds(1000));
  }
  if (compactions_answered_ < mine) return Unavailable("shutting down");
  return last_compaction_.Clone();
}

Status EngineImpl::CompactionRound(bool all) {
  VARVE_RETURN_IF_ERROR(BeginRemoving());
  Status failure;
  for (const auto& shard : shards_) {
    for (;;) {
      FreeDroppedPacks();  // the inputs of the merge before
      if (closing_.load(std::memory_order_relaxed)) return Unavailable("shutting down");
      // Merging needs room for a while; a disk that is nearly full is no place to begin.
      if (disk_.UsedFraction() > options_.disk_full_fraction) {
        return StorageFull("no compaction: the disk is too full");
      }
      CompactionPass pass = MakePass(all);
      const std::vector<CatalogPackPtr> inputs = PlanCompaction(*shard, pass);
      if (inputs.empty()) break;
      Status status = CompactPacks(shard.get(), inputs, pass);
      if (status.ok()) continue;
      if (closing_.load(std::memory_order_relaxed)) return status;
      if (failure.ok()) failure = status.Clone();
      // Damage costs the damaged pack only: it is left alone from now on. Anything else ends the pass.
      if (status.code() != Code::kCorruption) return status;
    }
  }
  VARVE_RETURN_IF_ERROR(FinishRemoving());
  FreeDroppedPacks();
  Status metrics = metric_store_->Compact(all);
  return failure.ok() ? std::move(metrics) : std::move(failure);
}

bool EngineImpl::IsRemovable(const DeleteRequest& request) const {
  return options_.clock->NowNs() - request.created_ns > options_.delete_cancel_period_ns &&
         (options_.may_remove_deleted == nullptr || options_.may_remove_deleted(request.tenant));
}

EngineImpl::CompactionPass EngineImpl::MakePass(bool all) const {
  CompactionPass pass;
  pass.all = all;
  const auto all_live = delete_ledger_.live();
  for (const LiveDeletePtr& live : *all_live) {
    const bool removing = live->request.state == DeleteRequest::State::kRemoving;
    (removing && IsRemovable(live->request) ? pass.removable : pass.hiding).push_back(live);
  }
  return pass;
}

bool EngineImpl::HoldsRowsOf(const LiveDelete& live, const PackIndex& index) const {
  for (size_t i = 0; i < index.streams.size(); ++i) {
    const StreamInfo& info = streams_.Get(index.streams[i]);
    if (info.tenant != live.tenant || !live.filter->TakesStream(info.labels)) continue;
    for (const PackIndex::Entry& entry : index.EntriesOf(i)) {
      if (live.OverlapsSpan(entry.min_ts_ns, entry.max_ts_ns)) return true;
    }
  }
  return false;
}

// Whether a request that may remove rows has some in the pack; remembers when it has none.
bool EngineImpl::MustRewrite(const CatalogPack& pack, const CompactionPass& pass) {
  bool must = false;
  for (const LiveDeletePtr& live : pass.Concerning(pack)) {
    if (delete_ledger_.IsUntouched(live->request.number, pack.id.number)) continue;
    const auto index = pack_indexes_.Get(pack.id);
    if (!index.ok()) return false;  // damaged: its rows cannot be read, and so not removed, either
    if (HoldsRowsOf(*live, **index)) {
      must = true;
    } else {
      delete_ledger_.NoteUntouched(live->request.number, pack.id.number);
    }
  }
  return must;
}

std::vector<CatalogPackPtr> EngineImpl::PlanCompaction(const Shard& shard, const CompactionPass& pass) {
  std::shared_ptr<const Catalog> catalog;
  {
    const MutexLock lock(shard.mu);
    catalog = shard.catalog;
  }
  CompactionRules rules;
  rules.now_ns = options_.clock->NowNs();
  rules.bucket_ns = options_.bucket_ns;
  rules.cut_age_ns = options_.cut_age_ms * kNsPerMs;
  rules.inputs_max = static_cast<size_t>(
      std::clamp<int64_t>(compaction_budget_.limit_bytes() / (kDecodedFactor * options_.block_bytes), 4, 32));
  rules.all = pass.all;
  rules.hiding = pass.hiding;
  rules.excluded = [this](const CatalogPack& pack) { return damaged_packs_.contains(pack.id.number); };
  rules.must_rewrite = [&](const CatalogPack& pack) { return MustRewrite(pack, pass); };
  return NextCompaction(*catalog, rules);
}

Status EngineImpl::Pace(uint64_t bytes) {
  const bool pressed = heads_budget_.used_bytes() > heads_budget_.limit_bytes() / 10 * 6;
  auto until = SteadyClock::now();
  if (options_.compaction_bytes_per_second > 0) {
    const double seconds =
        static_cast<double>(bytes) / static_cast<double>(options_.compaction_bytes_per_second);
    pace_due_ = std::max(pace_due_, until) +
                std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(seconds));
    until = pace_due_;
  }
  if (pressed) until = std::max(until, SteadyClock::now() + kPauseUnderPressure);
  // A short debt is carried on rather than slept off.
  const MutexLock lock(cut_mu_);
  while (!closing_.load(std::memory_order_relaxed) &&
         until - SteadyClock::now() > std::chrono::milliseconds(5)) {
    compaction_wake_.WaitFor(cut_mu_, until - SteadyClock::now());
  }
  return closing_.load(std::memory_order_relaxed) ? Unavailable("shutting down") : Status::Ok();
}

bool EngineImpl::WaitToCompact(int64_t delay_ms) {
  const MutexLock lock(cut_mu_);
  const auto until = SteadyClock::now() + std::chrono::milliseconds(delay_ms);
  while (!closing_.load(std::memory_order_relaxed) && SteadyClock::now() < until) {
    compaction_wake_.WaitFor(cut_mu_, std::chrono::milliseconds(delay_ms));
  }
  return !closing_.load(std::memory_order_relaxed);
}

Status EngineImpl::CompactPacks(Shard* shard, const std::vector<CatalogPackPtr>& packs,
                                const CompactionPass& pass) {
  std::vector<MergeInput> inputs;
  for (const CatalogPackPtr& pack : packs) {
    auto index = pack_indexes_.Get(pack->id);
    if (!index.ok()) {
      if (index.status().code() == Code::kCorruption) damaged_packs_.insert(pack->id.number);
      return std::move(index).status();
    }
    inputs.push_back({.pack = pack, .index = *index, .deletes = pass.Concerning(*pack)});
  }
  MergeOptions options;
  options.writer.block_bytes = options_.block_bytes;
  options.writer.block_rows = options_.block_rows;
  options.retention_begin_ns = [this](StreamOrdinal stream) { return RetentionBeginNs(stream); };
  options.pace = [this](uint64_t bytes) { return Pace(bytes); };
  options.budget = &compaction_budget_;

  PackId id = packs.back()->id;
  id.number = last_pack_number_.fetch_add(1, std::memory_order_relaxed) + 1;
  MergeStats stats;
  std::optional<size_t> bad_input;
  std::optional<PackDirectory> directory;
  {
    VARVE_ASSIGN_OR_RETURN(const std::unique_ptr<PendingPack> pending, stores_.packs->Begin(id));
    auto merged =
        MergePacks(inputs, streams_, *stores_.packs, options, pending.get(), &stats, &bad_input);
    if (!merged.ok()) {
      if (bad_input.has_value() && merged.status().code() == Code::kCorruption) {
        damaged_packs_.insert(packs[*bad_input]->id.number);
      }
      return std::move(merged).status();
    }
    directory = std::move(merged).value();
  }
  CatalogPackPtr output;
  if (directory.has_value()) {
    CatalogPack pack{.id = id, .summary = SummaryOf(*directory, packs.back()->summary.origin)};
    pack.summary.deletes_applied = AppliedDeletes(inputs);
    output = std::make_shared<CatalogPack>(std::move(pack));
    pack_indexes_.Put(id, *directory).IgnoreError("a cache; the query that needs it will say");
  }
  VARVE_KILL_POINT("after_compaction_pack");
  VARVE_ASSIGN_OR_RETURN(const bool committed, CommitCompaction(shard, inputs, output));
  if (!committed) {
    if (output != nullptr) {
      pack_indexes_.Erase(id);
      stores_.packs->Drop(std::span(&id, 1)).IgnoreError("an orphan; the next open drops it");
    }
    return Status::Ok();  // planned anew
  }
  counters_.compactions.fetch_add(1, std::memory_order_relaxed);
  counters_.compaction_packs_in.fetch_add(packs.size(), std::memory_order_relaxed);
  counters_.compaction_bytes_in.fetch_add(stats.bytes_read, std::memory_order_relaxed);
  counters_.compaction_bytes_out.fetch_add(stats.bytes_written, std::memory_order_relaxed);
  counters_.compaction_blocks_copied.fetch_add(stats.blocks_copied, std::memory_order_relaxed);
  counters_.compaction_blocks_decoded.fetch_add(stats.blocks_decoded, std::memory_order_relaxed);
  counters_.compaction_rows_removed.fetch_add(stats.rows_hidden, std::memory_order_relaxed);
  counters_.compaction_duplicates.fetch_add(stats.duplicates_dropped, std::memory_order_relaxed);
  return Status::Ok();
}

// Of the requests that hide rows: those applied now or earlier.
std::vector<uint64_t> EngineImpl::AppliedDeletes(const std::vector<MergeInput>& inputs) const {
  std::vector<uint64_t> applied;
  for (const MergeInput& input : inputs) {
    const auto& before = input.pack->summary.deletes_applied;
    applied.insert(applied.end(), before.begin(), before.end());
    for (const LiveDeletePtr& live : input.deletes) applied.push_back(live->request.number);
  }
  std::sort(applied.begin(), applied.end());
  applied.erase(std::unique(applied.begin(), applied.end()), applied.end());
  const auto live = delete_ledger_.live();
  std::erase_if(applied, [&](uint64_t number) {
    return std::none_of(live->begin(), live->end(),
                        [&](const LiveDeletePtr& request) { return request->request.number == number; });
  });
  return applied;
}

bool EngineImpl::StillHolds(const Shard& shard, const std::vector<MergeInput>& inputs) const {
  std::vector<CatalogPackPtr> packs;
  for (const MergeInput& input : inputs) packs.push_back(input.pack);
  {
    const MutexLock lock(shard.mu);
    for (const CatalogPackPtr& pack : packs) {
      if (std::find(shard.catalog->begin(), shard.catalog->end(), pack) == shard.catalog->end()) return false;
    }
  }
  const auto live = delete_ledger_.live();
  std::set<uint64_t> applied_now;
  for (const MergeInput& input : inputs) {
    for (const LiveDeletePtr& request : input.deletes) applied_now.insert(request->request.number);
  }
  size_t still_live = 0;
  for (const LiveDeletePtr& request : *live) {
    if (applied_now.contains(request->request.number)) {
      ++still_live;
    } else if (!MayMerge(*request, packs)) {
      return false;
    }
  }
  return still_live == applied_now.size();
}

// False when the plan does not hold any more. Once the commit has been tried it may have happened, so then only
// the very same one is tried again, until it works or the engine closes.
Result<bool> EngineImpl::CommitCompaction(Shard* shard, const std::vector<MergeInput>& inputs,
                                          const CatalogPackPtr& output) {
  MetaCommit commit;
  if (output != nullptr) commit.added.push_back(EncodeCatalogPack(*output));
  for (const MergeInput& input : inputs) commit.removed.push_back(EncodeCatalogKey(input.pack->id));
  int64_t delay_ms = kRetryDelayFirstMs;
  for (bool tried = false;; tried = true) {
    Status status;
    {
      const MutexLock commit_lock(commit_mu_);
      if (!tried && !StillHolds(*shard, inputs)) return false;
      VARVE_KILL_POINT("before_compaction_commit");
      status = stores_.meta->Commit(commit);
      if (status.ok()) {
        VARVE_KILL_POINT("after_compaction_commit");
        const MutexLock lock(shard->mu);
        auto catalog = std::make_shared<Catalog>();
        for (const CatalogPackPtr& pack : *shard->catalog) {
          const bool merged = std::any_of(inputs.begin(), inputs.end(),
                                          [&](const MergeInput& input) { return input.pack == pack; });
          (merged ? dropped_packs_ : *catalog).push_back(pack);
        }
        if (output != nullptr) {
          const auto behind =
              std::find_if(catalog->begin(), catalog->end(), [&](const CatalogPackPtr& pack) {
                return pack->summary.origin > output->summary.origin;
              });
          catalog->insert(behind, output);
        }
        shard->catalog = std::move(catalog);
        return true;
      }
    }
    counters_.compaction_failures.fetch_add(1, std::memory_order_relaxed);
    if (!WaitToCompact(delay_ms)) return status;
    delay_ms = std::min(delay_ms * 2, kRetryDelayMaxMs);
  }
}

// Requests whose cancel period is over begin to be removed.
Status EngineImpl::BeginRemoving() {
  const auto all_live = delete_ledger_.live();
  for (const LiveDeletePtr& live : *all_live) {
    if (live->request.state != DeleteRequest::State::kReceived || !IsRemovable(live->request)) continue;
    DeleteRequest request = live->request;
    request.state = DeleteRequest::State::kRemoving;
    request.packs_concerned = PacksLeft(*live);
    VARVE_RETURN_IF_ERROR(ReplaceRequest(request, live.get()));
  }
  return Status::Ok();
}

// Requests that concern no pack any more are done.
Status EngineImpl::FinishRemoving() {
  const auto all_live = delete_ledger_.live();
  for (const LiveDeletePtr& live : *all_live) {
    if (live->request.state != DeleteRequest::State::kRemoving || PacksLeft(*live) != 0) continue;
    DeleteRequest request = live->request;
    request.state = DeleteRequest::State::kProcessed;
    request.processed_ns = options_.clock->NowNs();
    VARVE_RETURN_IF_ERROR(ReplaceRequest(request, nullptr));
  }
  const std::vector<uint64_t> old = delete_ledger_.Forgettable(
      options_.clock->NowNs() - kDoneRequestsKeptNs, kDoneRequestsKeptMax);
  if (old.empty()) return Status::Ok();
  const MutexLock lock(commit_mu_);
  MetaCommit commit;
  commit.deletes_removed = old;
  VARVE_RETURN_IF_ERROR(stores_.meta->Commit(commit));
  for (const uint64_t number : old) delete_ledger_.Erase(number);
  return Status::Ok();
}

// Stores a request's new state, unless it was cancelled in the meantime. `live`: what goes on hiding rows, or
// null.
Status EngineImpl::ReplaceRequest(const DeleteRequest& request, const LiveDelete* live) {
  const MutexLock lock(commit_mu_);
  const std::optional<DeleteRequest> now = delete_ledger_.Find(request.tenant, request.id);
  if (!now.has_value() || !now->hides_rows()) return Status::Ok();
  MetaCommit commit;
  commit.deletes[request.number] = EncodeDeleteRequest(request);
  VARVE_RETURN_IF_ERROR(stores_.meta->Commit(commit));
  delete_ledger_.Put(request, live == nullptr ? TenantId{0} : live->tenant,
                     live == nullptr ? nullptr : live->filter);
  return Status::Ok();
}

}  // namespace varve
