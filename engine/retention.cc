// Dropping what is past its retention: first from the catalog, then, when the last snapshot that may read it
// is gone, from the disk.
//
// By time, a pack goes when the last row of each of its streams has expired under the policy of the day; what
// expires earlier is hidden from readers (snapshot_builder.cc) and left out when packs are rewritten. By
// size, whole buckets go, the oldest first, never the one being written.
#include <algorithm>
#include <chrono>
#include <limits>

#include "engine/base/failpoint.h"
#include "engine/engine_impl.h"
#include "engine/metrics/metric_store_impl.h"
#include "engine/packs/metric_pack_directory.h"

namespace varve {
namespace {

constexpr int64_t kForEver = std::numeric_limits<int64_t>::max();
// How often sizes are looked at where one is limited: adding up catalogs costs microseconds.
constexpr int64_t kSizeCheckIntervalMs = 5000;

int64_t ExpiresNs(int64_t max_ts_ns, int64_t period_ns) {
  int64_t expires = 0;
  if (period_ns <= 0 || __builtin_add_overflow(max_ts_ns, period_ns, &expires)) return kForEver;
  return expires;
}

// Where the pack's bucket ends.
int64_t BucketEndNs(const PackId& id, int64_t log_bucket_ns) {
  int64_t end_ns = 0;
  const int64_t bucket_ns = id.is_metric() ? kMetricBucketNs : log_bucket_ns;
  if (__builtin_mul_overflow(int64_t{id.bucket} + 1, bucket_ns, &end_ns)) return id.bucket < 0 ? -kForEver : kForEver;
  return end_ns;
}

}  // namespace

int64_t EngineImpl::RetentionBeginNs() const {
  return RetentionPolicy::BeginNs(RetentionPolicyOf(options_)->longest_period_ns(), options_.clock->NowNs());
}

int64_t EngineImpl::RetentionBeginNs(StreamOrdinal stream) const {
  const StreamInfo& info = streams_.Get(stream);
  const int64_t period_ns =
      RetentionPolicyOf(options_)->PeriodNs(streams_.TenantName(info.tenant), info.labels);
  return RetentionPolicy::BeginNs(period_ns, options_.clock->NowNs());
}

int64_t EngineImpl::RetentionSettledNs() const {
  return RetentionPolicy::BeginNs(RetentionPolicyOf(options_)->shortest_period_ns(), options_.clock->NowNs());
}

void EngineImpl::RunRetention() {
  const int64_t interval_ms = std::max<int64_t>(1, options_.retention_check_interval_ms);
  const bool by_size = options_.retention_size_bytes > 0 || options_.retention_disk_fraction > 0;
  const auto wait =
      std::chrono::milliseconds(by_size ? std::min(interval_ms, kSizeCheckIntervalMs) : interval_ms);
  auto next_by_time = std::chrono::steady_clock::now();
  while (!closing_.load(std::memory_order_relaxed)) {
    // A failed commit is tried again at the next check; until then readers clip.
    if (std::chrono::steady_clock::now() >= next_by_time) {
      DropExpiredPacks().IgnoreError("tried again at the next check");
      next_by_time = std::chrono::steady_clock::now() + std::chrono::milliseconds(interval_ms);
    }
    DropBeyondSize().IgnoreError("tried again at the next check");
    FreeDroppedPacks();
    const MutexLock lock(cut_mu_);
    if (!closing_.load(std::memory_order_relaxed)) retention_wake_.WaitFor(cut_mu_, wait);
  }
}

std::vector<CatalogPackPtr> EngineImpl::CatalogPacks() const {
  std::vector<CatalogPackPtr> packs;
  for (const auto& shard : shards_) {
    const MutexLock lock(shard->mu);
    packs.insert(packs.end(), shard->catalog->begin(), shard->catalog->end());
  }
  for (const auto& shard : metric_store_->shards()) {
    const ReaderLock lock(shard->mu);
    packs.insert(packs.end(), shard->catalog->begin(), shard->catalog->end());
  }
  return packs;
}

int64_t EngineImpl::PackExpiresNs(const CatalogPack& pack, const RetentionPolicy& policy) {
  const auto known = pack_expires_ns_.find(pack.id.number);
  if (known != pack_expires_ns_.end()) return known->second;
  if (pack.id.is_metric()) {
    return pack_expires_ns_[pack.id.number] = ExpiresNs(pack.summary.max_ts_ns, metric_store_->PeriodNs(pack, policy));
  }
  const Result<std::shared_ptr<const PackIndex>> index = pack_indexes_.Get(pack.id);
  if (!index.ok()) return kForEver;  // damaged: the query that needs it will say
  int64_t expires_ns = std::numeric_limits<int64_t>::min();
  for (size_t i = 0; i < (*index)->streams.size(); ++i) {
    const StreamInfo& info = streams_.Get((*index)->streams[i]);
    int64_t max_ts_ns = std::numeric_limits<int64_t>::min();
    for (const PackIndex::Entry& entry : (*index)->EntriesOf(i))
      max_ts_ns = std::max(max_ts_ns, entry.max_ts_ns);
    const int64_t period_ns = policy.PeriodNs(streams_.TenantName(info.tenant), info.labels);
    expires_ns = std::max(expires_ns, ExpiresNs(max_ts_ns, period_ns));
  }
  pack_expires_ns_[pack.id.number] = expires_ns;
  return expires_ns;
}

Status EngineImpl::DropExpiredPacks() {
  const std::shared_ptr<const RetentionPolicy> policy = RetentionPolicyOf(options_);
  if (policy->shortest_period_ns() == 0) return Status::Ok();
  const int64_t now_ns = options_.clock->NowNs();
  const int64_t all_expired_before_ns = RetentionPolicy::BeginNs(policy->longest_period_ns(), now_ns);
  const int64_t none_expired_from_ns = RetentionPolicy::BeginNs(policy->shortest_period_ns(), now_ns);
  std::set<PackId> expired;
  int64_t newest_ns = std::numeric_limits<int64_t>::min();
  {
    const MutexLock lock(retention_mu_);
    if (pack_expires_policy_ != policy) pack_expires_ns_.clear();
    pack_expires_policy_ = policy;
    for (const CatalogPackPtr& pack : CatalogPacks()) {
      if (pack->summary.max_ts_ns >= none_expired_from_ns) continue;
      if (pack->summary.max_ts_ns >= all_expired_before_ns && PackExpiresNs(*pack, *policy) >= now_ns)
        continue;
      expired.insert(pack->id);
      newest_ns = std::max(newest_ns, pack->summary.max_ts_ns);
    }
    for (const PackId& id : expired) pack_expires_ns_.erase(id.number);
  }
  if (expired.empty()) return Status::Ok();
  VARVE_ASSIGN_OR_RETURN(const size_t dropped, DropPacks(expired));
  // Readers have long been clipped at this instant; but should the clock be set back, they are not any more.
  generations_.Bump({.begin_ns = std::numeric_limits<int64_t>::min(), .end_ns = newest_ns + 1});
  counters_.packs_dropped_by_retention.fetch_add(dropped, std::memory_order_relaxed);
  return Status::Ok();
}

Result<size_t> EngineImpl::DropPacks(const std::set<PackId>& ids) {
  const MutexLock commit_lock(commit_mu_);
  MetaCommit commit;
  for (const auto& shard : shards_) {
    const MutexLock lock(shard->mu);
    for (const CatalogPackPtr& pack : *shard->catalog) {
      if (ids.contains(pack->id)) commit.removed.push_back(EncodeCatalogKey(pack->id));
    }
  }
  for (const auto& shard : metric_store_->shards()) {
    const ReaderLock lock(shard->mu);
    for (const CatalogPackPtr& pack : *shard->catalog) {
      if (ids.contains(pack->id)) commit.removed.push_back(EncodeCatalogKey(pack->id));
    }
  }
  if (commit.removed.empty()) return size_t{0};
  VARVE_RETURN_IF_ERROR(stores_.meta->Commit(commit));
  VARVE_KILL_POINT("after_retention_commit");
  const auto keep = [&](std::shared_ptr<const Catalog>* catalog) VARVE_REQUIRES(commit_mu_) {
    auto kept = std::make_shared<Catalog>();
    for (const CatalogPackPtr& pack : **catalog) (ids.contains(pack->id) ? dropped_packs_ : *kept).push_back(pack);
    *catalog = std::move(kept);
  };
  for (const auto& shard : shards_) {
    const MutexLock lock(shard->mu);
    keep(&shard->catalog);
  }
  for (const auto& shard : metric_store_->shards()) {
    const WriterLock lock(shard->mu);
    keep(&shard->catalog);
  }
  return commit.removed.size();
}

int64_t EngineImpl::BytesBeyondSize(const std::vector<CatalogPackPtr>& packs) const {
  int64_t beyond = 0;
  if (options_.retention_size_bytes > 0) {
    int64_t total = 0;
    for (const CatalogPackPtr& pack : packs) total += static_cast<int64_t>(pack->summary.encoded_bytes);
    beyond = total - options_.retention_size_bytes;
  }
  if (options_.retention_disk_fraction > 0) {
    const double used_fraction = disk_.UsedFraction();
    double excess =
        (used_fraction - options_.retention_disk_fraction) * static_cast<double>(disk_.CapacityBytes());
    // What is dropped already but still read by somebody will go by itself.
    const MutexLock lock(commit_mu_);
    for (const CatalogPackPtr& pack : dropped_packs_)
      excess -= static_cast<double>(pack->summary.encoded_bytes);
    beyond = std::max(beyond, static_cast<int64_t>(std::min(excess, 9e18)));
  }
  return std::max<int64_t>(0, beyond);
}

Status EngineImpl::DropBeyondSize() {
  if (options_.retention_size_bytes <= 0 && options_.retention_disk_fraction <= 0) return Status::Ok();
  const std::vector<CatalogPackPtr> packs = CatalogPacks();
  const int64_t beyond = BytesBeyondSize(packs);
  if (beyond == 0 || packs.empty()) return Status::Ok();
  struct Bucket {
    int64_t bytes = 0;
    int64_t min_ts_ns = kForEver;
    int64_t max_ts_ns = std::numeric_limits<int64_t>::min();
    std::vector<PackId> packs;
  };
  // By the end of the bucket, hours of logs and days of metrics alike.
  std::map<int64_t, Bucket> buckets;
  std::set<int64_t> newest;  // of each kind
  for (const CatalogPackPtr& pack : packs) {
    Bucket& bucket = buckets[BucketEndNs(pack->id, options_.bucket_ns)];
    bucket.bytes += static_cast<int64_t>(pack->summary.encoded_bytes);
    bucket.min_ts_ns = std::min(bucket.min_ts_ns, pack->summary.min_ts_ns);
    bucket.max_ts_ns = std::max(bucket.max_ts_ns, pack->summary.max_ts_ns);
    bucket.packs.push_back(pack->id);
  }
  for (const bool metric : {false, true}) {
    int64_t last = std::numeric_limits<int64_t>::min();
    for (const CatalogPackPtr& pack : packs) {
      if (pack->id.is_metric() == metric) last = std::max(last, BucketEndNs(pack->id, options_.bucket_ns));
    }
    newest.insert(last);
  }
  // Not the bucket being written, nor the newest there is: without the latter a store of old data would empty
  // itself.
  const int64_t now_ns = options_.clock->NowNs();
  std::set<PackId> doomed;
  Bucket sum;
  for (const auto& [end_ns, bucket] : buckets) {
    if (end_ns > now_ns || sum.bytes >= beyond) break;
    if (newest.contains(end_ns)) continue;
    sum.bytes += bucket.bytes;
    sum.min_ts_ns = std::min(sum.min_ts_ns, bucket.min_ts_ns);
    sum.max_ts_ns = std::max(sum.max_ts_ns, bucket.max_ts_ns);
    doomed.insert(bucket.packs.begin(), bucket.packs.end());
  }
  if (doomed.empty()) return Status::Ok();
  VARVE_ASSIGN_OR_RETURN(const size_t dropped, DropPacks(doomed));
  generations_.Bump(
      {.begin_ns = sum.min_ts_ns, .end_ns = sum.max_ts_ns == kForEver ? kForEver : sum.max_ts_ns + 1});
  counters_.packs_dropped_by_size.fetch_add(dropped, std::memory_order_relaxed);
  counters_.bytes_dropped_by_size.fetch_add(static_cast<uint64_t>(sum.bytes), std::memory_order_relaxed);
  if (options_.notice != nullptr) {
    options_.notice("dropped the oldest " + std::to_string(dropped) + " packs, " + std::to_string(sum.bytes) +
                    " bytes, entries from " + std::to_string(sum.min_ts_ns / kNsPerSecond) + " to " +
                    std::to_string(sum.max_ts_ns / kNsPerSecond) +
                    " (Unix seconds): " + std::to_string(beyond) +
                    " bytes too many for storage.retention_size or storage.retention_disk_fraction");
  }
  return Status::Ok();
}

void EngineImpl::FreeDroppedPacks() {
  std::vector<PackId> free;
  {
    const MutexLock lock(commit_mu_);
    // Nobody can take a new reference: the catalogs no longer have it.
    std::erase_if(dropped_packs_, [&](const CatalogPackPtr& pack) {
      if (pack.use_count() != 1) return false;
      free.push_back(pack->id);
      return true;
    });
  }
  if (free.empty()) return;
  for (const PackId& id : free) {
    if (id.is_metric()) {
      metric_store_->ForgetPack(id);
      continue;
    }
    block_cache_.ErasePack(id.number);
    pack_indexes_.Erase(id);
  }
  stores_.packs->Drop(free).IgnoreError("they are orphans now; the next open drops them");
}

}  // namespace varve
