// Compaction of metric packs: those of a day become few, then one; deleted and expired samples leave the
// disk.
//
// Runs on the engine's compaction thread, after the log shards. What to merge is decided by the same rule
// (compaction_plan.h), with a bucket of a day; the merge itself: metric_merge.h; the commit is as for logs.
// Killed before it, the output is an orphan; after it, the inputs are.
//
// Deletes of samples have no time in which they could be cancelled: every merge applies those that concern
// its inputs. What a merge must not do is to commit when a request has come meanwhile that covers some of its
// inputs and not the others: the output would be too new for it. DeleteSamples and the commit exclude each
// other by commit_mu_.
#include <algorithm>
#include <chrono>
#include <set>

#include "engine/base/failpoint.h"
#include "engine/compaction_plan.h"
#include "engine/engine_impl.h"
#include "engine/metric_merge.h"
#include "engine/metrics/metric_store_impl.h"

namespace varve {
namespace {

constexpr int64_t kRetryDelayFirstMs = 100;
constexpr int64_t kRetryDelayMaxMs = 5000;
// What an input holds in memory while it is merged, at most: blocks of twelve spans.
constexpr int64_t kInputBytesMax = 8 << 20;

bool IsLive(const MetricDeletes& live, uint64_t number) {
  return std::any_of(live.begin(), live.end(),
                     [number](const auto& request) { return request->number == number; });
}

}  // namespace

// What one merge is made of, and what it applied.
struct MetricStoreImpl::MergePlan {
  std::vector<CatalogPackPtr> packs;    // in order of arrival
  std::vector<MetricDeletes> requests;  // that concern each of them
  PackId output;
};

Status MetricStoreImpl::Compact(bool all) {
  Status failure;
  for (const auto& shard : shards_) {
    for (;;) {
      engine_->FreeDroppedPacks();  // the inputs of the merge before
      if (engine_->closing_.load(std::memory_order_relaxed)) return Unavailable("shutting down");
      if (engine_->disk_.UsedFraction() > engine_->options_.disk_full_fraction) {
        return StorageFull("no compaction: the disk is too full");
      }
      MergePlan plan = PlanMerge(*shard, all);
      if (plan.packs.empty()) break;
      Status status = MergeShardPacks(shard.get(), &plan);
      if (status.ok()) continue;
      if (engine_->closing_.load(std::memory_order_relaxed)) return status;
      if (failure.ok()) failure = status.Clone();
      // Damage costs the damaged pack only: it is left alone from now on. Anything else ends the pass.
      if (status.code() != Code::kCorruption) return status;
    }
  }
  VARVE_RETURN_IF_ERROR(ForgetAppliedDeletes());
  engine_->FreeDroppedPacks();
  return failure;
}

// Whether the request takes samples of the pack; remembers when it does not.
bool MetricStoreImpl::HoldsSamplesOf(const MetricDelete& request, const CatalogPack& pack) {
  if (!request.Concerns(pack.summary)) return false;
  const std::pair<uint64_t, uint64_t> key{request.number, pack.id.number};
  if (untouched_by_deletes_.contains(key)) return false;
  const auto index = packs_.Index(pack.id);
  if (!index.ok()) return true;  // damaged: it is not known that there are none
  SeriesSamples samples;
  for (const auto& [ordinal, number] : (*index)->series) {
    if (series_.Get(ordinal).tenant != request.tenant || !request.TakesSeries(series_.LabelsOf(ordinal)))
      continue;
    std::vector<uint32_t> blocks;
    (*index)->directory.FindChunks(number, request.range, &blocks);
    if (!blocks.empty()) return true;
  }
  untouched_by_deletes_.insert(key);
  return false;
}

MetricStoreImpl::MergePlan MetricStoreImpl::PlanMerge(const MetricShard& shard, bool all) {
  const std::shared_ptr<const MetricDeletes> live = deletes_.all();
  const std::shared_ptr<const Catalog> catalog = MetricShardView::Of(shard).catalog;
  const EngineOptions& options = engine_->options_;
  CompactionRules rules;
  rules.now_ns = options.clock->NowNs();
  rules.bucket_ns = kMetricBucketNs;
  rules.cut_age_ns = options.metric_cut_age_ms * kNsPerMs;
  rules.inputs_max = static_cast<size_t>(
      std::clamp<int64_t>(engine_->compaction_budget_.limit_bytes() / kInputBytesMax, 4, 32));
  rules.all = all;
  rules.excluded = [this](const CatalogPack& pack) {
    return engine_->damaged_packs_.contains(pack.id.number);
  };
  rules.must_rewrite = [&](const CatalogPack& pack) {
    return std::any_of(live->begin(), live->end(),
                       [&](const auto& one) { return HoldsSamplesOf(*one, pack); });
  };
  MergePlan plan{.packs = NextCompaction(*catalog, rules), .requests = {}, .output = {}};
  for (const CatalogPackPtr& pack : plan.packs) {
    MetricDeletes& requests = plan.requests.emplace_back();
    for (const auto& one : *live) {
      if (one->Concerns(pack->summary)) requests.push_back(one);
    }
  }
  return plan;
}

Result<std::optional<MetricPackDirectory>> MetricStoreImpl::WriteMerge(const MergePlan& plan,
                                                                       MetricMergeStats* stats) {
  MetricMergeOptions options;
  options.pace = [this](uint64_t bytes) { return engine_->Pace(bytes); };
  options.hidden = [&](size_t input, std::string_view tenant_name, std::string_view canonical,
                       std::vector<MetricRange>* hidden) {
    const Result<TenantId> tenant = engine_->streams_.InternTenant(tenant_name);
    if (!tenant.ok()) return;
    const int64_t kept_from_ms = RetentionBeginMs(*tenant);
    if (kept_from_ms != INT64_MIN) hidden->push_back({.min_ms = INT64_MIN, .max_ms = kept_from_ms - 1});
    if (plan.requests[input].empty()) return;
    const PackedLabels labels = PackedLabels::FromCanonical(std::string(canonical));
    for (const auto& request : plan.requests[input]) {
      if (request->tenant == *tenant && request->TakesSeries(labels)) hidden->push_back(request->range);
    }
  };
  std::vector<PackId> inputs;
  for (const CatalogPackPtr& pack : plan.packs) inputs.push_back(pack->id);
  VARVE_ASSIGN_OR_RETURN(const std::unique_ptr<PendingPack> pending,
                         engine_->stores_.packs->Begin(plan.output));
  const auto charge = static_cast<int64_t>(inputs.size() + 1) * kInputBytesMax;
  engine_->compaction_budget_.ForceReserve(charge);
  std::optional<size_t> bad_input;
  auto merged = MergeMetricPacks(inputs, *engine_->stores_.packs, options, pending.get(), stats, &bad_input);
  engine_->compaction_budget_.Release(charge);
  if (!merged.ok() && bad_input.has_value() && merged.status().code() == Code::kCorruption) {
    engine_->damaged_packs_.insert(inputs[*bad_input].number);
  }
  return merged;
}

Status MetricStoreImpl::MergeShardPacks(MetricShard* shard, MergePlan* plan) {
  plan->output = plan->packs.back()->id;
  plan->output.number = engine_->last_pack_number_.fetch_add(1, std::memory_order_relaxed) + 1;
  MetricMergeStats stats;
  VARVE_ASSIGN_OR_RETURN(std::optional<MetricPackDirectory> directory, WriteMerge(*plan, &stats));
  CatalogPackPtr output;
  if (directory.has_value()) {
    CatalogPack pack{.id = plan->output,
                     .summary = SummaryOf(*directory, plan->packs.back()->summary.origin)};
    pack.summary.deletes_applied = DeletesAppliedBy(*plan);
    output = std::make_shared<CatalogPack>(std::move(pack));
    packs_.PutIndex(plan->output, *std::move(directory))
        .IgnoreError("a cache; the query that needs it will say");
  }
  VARVE_KILL_POINT("after_metric_compaction_pack");
  VARVE_ASSIGN_OR_RETURN(const bool committed, CommitMerge(shard, *plan, output));
  if (!committed) {
    if (output != nullptr) {
      packs_.ErasePack(plan->output.number);
      engine_->stores_.packs->Drop(std::span(&plan->output, 1))
          .IgnoreError("an orphan; the next open drops it");
    }
    return Status::Ok();  // planned anew
  }
  auto& counters = engine_->counters_;
  counters.compactions.fetch_add(1, std::memory_order_relaxed);
  counters.compaction_packs_in.fetch_add(plan->packs.size(), std::memory_order_relaxed);
  counters.compaction_bytes_in.fetch_add(stats.bytes_read, std::memory_order_relaxed);
  counters.compaction_bytes_out.fetch_add(stats.bytes_written, std::memory_order_relaxed);
  counters.compaction_rows_removed.fetch_add(stats.samples_hidden, std::memory_order_relaxed);
  counters.compaction_duplicates.fetch_add(stats.samples_dropped, std::memory_order_relaxed);
  return Status::Ok();
}

// Numbers, ascending, of those applied now or earlier that still hide samples somewhere.
std::vector<uint64_t> MetricStoreImpl::DeletesAppliedBy(const MergePlan& plan) const {
  std::set<uint64_t> applied;
  for (size_t i = 0; i < plan.packs.size(); ++i) {
    const auto& before = plan.packs[i]->summary.deletes_applied;
    applied.insert(before.begin(), before.end());
    for (const auto& request : plan.requests[i]) applied.insert(request->number);
  }
  const std::shared_ptr<const MetricDeletes> live = deletes_.all();
  std::erase_if(applied, [&](uint64_t number) { return !IsLive(*live, number); });
  return {applied.begin(), applied.end()};
}

// Whether all inputs are still there, and no request has come that concerns one of them.
bool MetricStoreImpl::StillHolds(const MetricShard& shard, const MergePlan& plan) const {
  const std::shared_ptr<const Catalog> catalog = MetricShardView::Of(shard).catalog;
  const std::shared_ptr<const MetricDeletes> live = deletes_.all();
  for (size_t i = 0; i < plan.packs.size(); ++i) {
    if (std::find(catalog->begin(), catalog->end(), plan.packs[i]) == catalog->end()) return false;
    for (const auto& request : *live) {
      if (request->Concerns(plan.packs[i]->summary) && !IsLive(plan.requests[i], request->number))
        return false;
    }
  }
  return true;
}

// False when the plan does not hold any more. Once the commit has been tried it may have happened, so then
// only the very same one is tried again, until it works or the engine closes.
Result<bool> MetricStoreImpl::CommitMerge(MetricShard* shard, const MergePlan& plan,
                                          const CatalogPackPtr& output) {
  MetaCommit commit;
  if (output != nullptr) commit.added.push_back(EncodeCatalogPack(*output));
  for (const CatalogPackPtr& pack : plan.packs) commit.removed.push_back(EncodeCatalogKey(pack->id));
  int64_t delay_ms = kRetryDelayFirstMs;
  for (bool tried = false;; tried = true) {
    Status status;
    {
      const MutexLock commit_lock(engine_->commit_mu_);
      if (!tried && !StillHolds(*shard, plan)) return false;
      VARVE_KILL_POINT("before_metric_compaction_commit");
      status = engine_->stores_.meta->Commit(commit);
      if (status.ok()) {
        VARVE_KILL_POINT("after_metric_compaction_commit");
        const WriterLock lock(shard->mu);
        auto catalog = std::make_shared<Catalog>();
        for (const CatalogPackPtr& pack : *shard->catalog) {
          const bool merged = std::find(plan.packs.begin(), plan.packs.end(), pack) != plan.packs.end();
          (merged ? engine_->dropped_packs_ : *catalog).push_back(pack);
        }
        if (output != nullptr) {
          const auto behind = std::find_if(catalog->begin(), catalog->end(), [&](const CatalogPackPtr& pack) {
            return pack->summary.origin > output->summary.origin;
          });
          catalog->insert(behind, output);
        }
        shard->catalog = std::move(catalog);
        return true;
      }
    }
    engine_->counters_.compaction_failures.fetch_add(1, std::memory_order_relaxed);
    if (!engine_->WaitToCompact(delay_ms)) return status;
    delay_ms = std::min(delay_ms * 2, kRetryDelayMaxMs);
  }
}

// Requests that take no sample of any pack any more are done.
Status MetricStoreImpl::ForgetAppliedDeletes() {
  std::vector<uint64_t> done;
  const std::shared_ptr<const MetricDeletes> live = deletes_.all();
  for (const auto& request : *live) {
    const bool needed = std::any_of(shards_.begin(), shards_.end(), [&](const auto& shard) {
      const std::shared_ptr<const Catalog> catalog = MetricShardView::Of(*shard).catalog;
      return std::any_of(catalog->begin(), catalog->end(),
                         [&](const CatalogPackPtr& pack) { return HoldsSamplesOf(*request, *pack); });
    });
    if (!needed) done.push_back(request->number);
  }
  if (done.empty()) return Status::Ok();
  std::erase_if(untouched_by_deletes_, [&](const auto& entry) {
    return std::find(done.begin(), done.end(), entry.first) != done.end();
  });
  return deletes_.Remove(done);
}

}  // namespace varve
