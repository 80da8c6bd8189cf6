#include "engine/engine_impl.h"

#include <algorithm>
#include <charconv>

#include "engine/data_dir.h"
#include "engine/journal/hot_db.h"
#include "engine/journal/rocksdb_journal.h"
#include "engine/meta/rocksdb_meta_store.h"
#include "engine/metrics/metric_store_impl.h"
#include "engine/packs/rocksdb_pack_store.h"

namespace varve {
namespace {

// Above this many stream mentions in pack directories, finding unused streams would slow the start.
constexpr uint64_t kDirectoryStreamsReadAtOpenMax = 4'000'000;

Result<int64_t> ParseSetting(const std::string& name, const std::string& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value <= 0) {
    return Corruption("hot database: the setting " + name + " is malformed");
  }
  return value;
}

// The value a data directory was created with; `initial` is stored when it is new.
Result<int64_t> FixedSetting(MetaStore* meta, const std::string& name, int64_t initial) {
  VARVE_ASSIGN_OR_RETURN(const std::optional<std::string> stored, meta->GetSetting(name));
  if (stored.has_value()) return ParseSetting(name, *stored);
  VARVE_RETURN_IF_ERROR(meta->PutSetting(name, std::to_string(initial)));
  return initial;
}

}  // namespace

EngineImpl::EngineImpl(const EngineOptions& resolved, EngineStores stores)
    : options_(resolved),
      plan_(MemoryPlan::Make(resolved)),
      stores_(std::move(stores)),
      disk_(resolved.data_dir),
      total_budget_("total", plan_.total_bytes),
      heads_budget_("heads", plan_.heads_bytes, &total_budget_),
      ingest_budget_("ingest", plan_.ingest_bytes, &total_budget_),
      query_budget_("queries", plan_.query_bytes, &total_budget_),
      block_cache_budget_("block_cache", plan_.block_cache_bytes, &total_budget_),
      pack_index_budget_("pack_index", plan_.pack_index_bytes, &total_budget_),
      compaction_budget_("compaction", plan_.compaction_bytes, &total_budget_),
      chunk_pool_(&heads_budget_, static_cast<size_t>(plan_.heads_bytes) / 8 / ChunkPool::kChunkBytes),
      block_cache_(&block_cache_budget_),
      pack_indexes_(stores_.packs.get(), &streams_, &pack_index_budget_),
      metric_store_(std::make_unique<MetricStoreImpl>(this, plan_, &total_budget_)),
      query_pool_("query", resolved.query_threads),
      encode_pool_(std::make_unique<ThreadPool>("encode", resolved.encode_threads)) {}

EngineImpl::~EngineImpl() { Close().IgnoreError("nobody left to tell; the journal has it all"); }

Status EngineImpl::Load() {
  VARVE_RETURN_IF_ERROR(LoadPacks());
  VARVE_RETURN_IF_ERROR(LoadStreams());
  return LoadDeletes();
}

Status EngineImpl::LoadPacks() {
  for (uint32_t i = 0; i < options_.shard_count; ++i) {
    auto shard = std::make_unique<Shard>();
    shard->number = static_cast<uint16_t>(i);
    const MutexLock lock(shard->mu);
    shard->active = std::make_shared<LogSegment>(&chunk_pool_, &heads_budget_);
    shard->catalog = std::make_shared<Catalog>();
    shards_.push_back(std::move(shard));
  }
  VARVE_ASSIGN_OR_RETURN(const std::vector<MetaCommit::Pack> committed, stores_.meta->ListPacks());
  std::vector<Catalog> catalogs(shards_.size());
  std::vector<Catalog> metric_catalogs(options_.metric_shard_count);
  std::set<PackId> known;
  uint64_t last_number = 0;
  for (const MetaCommit::Pack& bytes : committed) {
    VARVE_ASSIGN_OR_RETURN(CatalogPack pack, DecodeCatalogPack(bytes));
    std::vector<Catalog>& of_kind = pack.id.is_metric() ? metric_catalogs : catalogs;
    const size_t shard = pack.id.is_metric() ? pack.id.shard - size_t{kMetricShardFirst} : pack.id.shard;
    if (shard >= of_kind.size()) {
      return Corruption("hot database: " + pack.id.ToString() + " names a shard that does not exist");
    }
    known.insert(pack.id);
    last_number = std::max(last_number, pack.id.number);
    of_kind[shard].push_back(std::make_shared<CatalogPack>(std::move(pack)));
  }
  for (std::vector<Catalog>* of_kind : {&catalogs, &metric_catalogs}) {
    for (Catalog& catalog : *of_kind) {
      std::sort(catalog.begin(), catalog.end(),
                [](const CatalogPackPtr& a, const CatalogPackPtr& b) {
                  return a->summary.origin < b->summary.origin;
                });
    }
  }
  for (const auto& shard : shards_) {
    const MutexLock lock(shard->mu);
    shard->catalog = std::make_shared<Catalog>(std::move(catalogs[shard->number]));
  }
  last_pack_number_.store(last_number, std::memory_order_relaxed);
  VARVE_RETURN_IF_ERROR(DropOrphans(known));
  VARVE_RETURN_IF_ERROR(LoadWatermarks());
  return metric_store_->Load(std::move(metric_catalogs));
}

Status EngineImpl::LoadWatermarks() {
  VARVE_ASSIGN_OR_RETURN(const auto watermarks, stores_.meta->ListWatermarks());
  const MutexLock lock(commit_mu_);
  watermarks_.assign(shards_.size(), 0);
  // A shard that never committed takes whatever the journal still has.
  metric_watermarks_.assign(options_.metric_shard_count, 0);
  for (const auto& [shard, seq] : watermarks) {
    const bool metric = shard >= kMetricShardFirst;
    std::vector<JournalSeq>& of_kind = metric ? metric_watermarks_ : watermarks_;
    const size_t number = metric ? shard - size_t{kMetricShardFirst} : shard;
    if (number >= of_kind.size()) return Corruption("hot database: a watermark of a shard that does not exist");
    of_kind[number] = seq;
  }
  return Status::Ok();
}

Status EngineImpl::DropOrphans(const std::set<PackId>& known) {
  VARVE_ASSIGN_OR_RETURN(const std::vector<PackInfo> present, stores_.packs->List());
  std::vector<PackId> orphans;
  uint64_t last_number = last_pack_number_.load(std::memory_order_relaxed);
  for (const PackInfo& pack : present) {
    last_number = std::max(last_number, pack.id.number);
    if (!known.contains(pack.id)) orphans.push_back(pack.id);
  }
  last_pack_number_.store(last_number, std::memory_order_relaxed);
  return orphans.empty() ? Status::Ok() : stores_.packs->Drop(orphans);
}

Status EngineImpl::ForEachPackStream(
    const std::function<Status(const PackDirectory&, const PackStream&)>& fn) const {
  for (const auto& shard : shards_) {
    std::shared_ptr<const Catalog> catalog;
    {
      const MutexLock lock(shard->mu);
      catalog = shard->catalog;
    }
    for (const CatalogPackPtr& pack : *catalog) {
      VARVE_ASSIGN_OR_RETURN(const PackDirectory directory, stores_.packs->ReadDirectory(pack->id));
      for (const PackStream& stream : directory.streams) VARVE_RETURN_IF_ERROR(fn(directory, stream));
    }
  }
  return Status::Ok();
}

// Streams that no pack has are either in the journal, which will intern them again, or gone. They are
// left out here and, once recovery is over, dropped for good. One whose fingerprint has a successor is
// kept: it may be a link in a chain of collisions.
Status EngineImpl::LoadStreams() {
  uint64_t mentions = 0;
  for (const auto& shard : shards_) {
    const MutexLock lock(shard->mu);
    for (const CatalogPackPtr& pack : *shard->catalog) mentions += pack->summary.stream_count;
  }
  std::unordered_set<uint64_t> in_packs;
  bool know_all_packs = false;
  if (mentions <= kDirectoryStreamsReadAtOpenMax) {
    // A damaged directory must not cost anyone their stream.
    know_all_packs = ForEachPackStream([&](const PackDirectory&, const PackStream& stream) {
                       in_packs.insert(stream.fingerprint);
                       return Status::Ok();
                     }).ok();
  }
  std::vector<StreamRecord> unused;
  VARVE_RETURN_IF_ERROR(stores_.meta->ForEachStream([&](const StreamRecord& stream) -> Status {
    if (know_all_packs && !in_packs.contains(stream.fingerprint)) {
      unused.push_back(stream);
      return Status::Ok();
    }
    in_packs.erase(stream.fingerprint);
    return streams_.Load(stream.tenant, stream.canonical, stream.fingerprint);
  }));
  if (know_all_packs && !in_packs.empty()) VARVE_RETURN_IF_ERROR(RestoreStreams(&in_packs));
  std::set<uint64_t> unused_fingerprints;
  for (const StreamRecord& stream : unused) unused_fingerprints.insert(stream.fingerprint);
  std::map<std::string, StreamRecord> unconfirmed;
  for (StreamRecord& stream : unused) {
    const uint64_t next = stream.fingerprint + 1;
    if (streams_.FindFingerprint(next).has_value() || unused_fingerprints.contains(next)) {
      VARVE_RETURN_IF_ERROR(streams_.Load(stream.tenant, stream.canonical, stream.fingerprint));
      continue;
    }
    std::string key = StreamKey(stream.tenant, stream.canonical);
    unconfirmed.emplace(std::move(key), std::move(stream));
  }
  const MutexLock lock(unconfirmed_mu_);
  unconfirmed_streams_ = std::move(unconfirmed);
  return Status::Ok();
}

// Packs name their streams themselves; so identities that the hot database has lost can be had back.
Status EngineImpl::RestoreStreams(std::unordered_set<uint64_t>* lost) {
  return ForEachPackStream([&](const PackDirectory& directory, const PackStream& stream) -> Status {
    if (lost->erase(stream.fingerprint) == 0) return Status::Ok();
    const StreamRecord record{.tenant = directory.tenants[stream.tenant],
                              .canonical = stream.canonical_labels,
                              .fingerprint = stream.fingerprint};
    VARVE_RETURN_IF_ERROR(streams_.Load(record.tenant, record.canonical, record.fingerprint));
    return stores_.meta->PutStream(record);
  });
}

MetricStore& EngineImpl::metrics() { return *metric_store_; }

Result<TenantId> EngineImpl::InternTenant(std::string_view name) { return streams_.InternTenant(name); }

Result<TenantId> EngineImpl::FindTenant(std::string_view name) const { return streams_.FindTenant(name); }

Result<StreamOrdinal> EngineImpl::InternStream(TenantId tenant, const Labels& labels) {
  return streams_.Intern(
      tenant, labels,
      [this](std::string_view tenant_name, std::string_view canonical, uint64_t fingerprint) -> Status {
        {
          const MutexLock lock(unconfirmed_mu_);
          const auto it = unconfirmed_streams_.find(StreamKey(tenant_name, canonical));
          if (it != unconfirmed_streams_.end()) {
            const bool same = it->second.fingerprint == fingerprint;
            unconfirmed_streams_.erase(it);
            if (same) return Status::Ok();
          }
        }
        return stores_.meta->PutStream({.tenant = std::string(tenant_name),
                                        .canonical = std::string(canonical),
                                        .fingerprint = fingerprint});
      });
}

const Labels& EngineImpl::StreamLabels(StreamOrdinal stream) const { return streams_.Get(stream).labels; }

EngineStats EngineImpl::Stats() const {
  const auto load = [](const std::atomic<uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  EngineStats stats;
  stats.appended_entries = load(counters_.appended_entries);
  stats.appended_line_bytes = load(counters_.appended_line_bytes);
  stats.shed_appends = load(counters_.shed_appends);
  const JournalStats journal = stores_.journal->Stats();
  stats.journal_records = journal.records;
  stats.journal_record_bytes = journal.record_bytes;
  stats.journal_syncs = journal.syncs;
  stats.journal_live_bytes = journal_gauge_.LiveBytes();
  stats.replayed_records = load(counters_.replayed_records);
  stats.replayed_entries = load(counters_.replayed_entries);
  stats.recovery_seconds = counters_.recovery_seconds.load(std::memory_order_relaxed);
  stats.cuts = load(counters_.cuts);
  stats.packs_written = load(counters_.packs_written);
  stats.blocks_written = load(counters_.blocks_written);
  stats.encoded_line_bytes = load(counters_.encoded_line_bytes);
  stats.encoded_block_bytes = load(counters_.encoded_block_bytes);
  stats.duplicate_entries_dropped = load(counters_.duplicate_entries_dropped);
  stats.packs_dropped_by_retention = load(counters_.packs_dropped_by_retention);
  stats.packs_dropped_by_size = load(counters_.packs_dropped_by_size);
  stats.bytes_dropped_by_size = load(counters_.bytes_dropped_by_size);
  stats.compactions = load(counters_.compactions);
  stats.compaction_failures = load(counters_.compaction_failures);
  stats.compaction_packs_in = load(counters_.compaction_packs_in);
  stats.compaction_bytes_in = load(counters_.compaction_bytes_in);
  stats.compaction_bytes_out = load(counters_.compaction_bytes_out);
  stats.compaction_blocks_copied = load(counters_.compaction_blocks_copied);
  stats.compaction_blocks_decoded = load(counters_.compaction_blocks_decoded);
  stats.compaction_rows_removed = load(counters_.compaction_rows_removed);
  stats.compaction_duplicates_dropped = load(counters_.compaction_duplicates);
  stats.delete_requests = delete_ledger_.live()->size();
  {
    const MutexLock lock(cut_mu_);
    stats.cut_failures = cut_failures_;
  }
  stats.streams = streams_.size();
  for (const auto& shard : shards_) {
    const MutexLock lock(shard->mu);
    stats.head_entries += shard->active->row_count();
    stats.head_line_bytes += shard->active->line_bytes();
    if (shard->sealed != nullptr) {
      stats.head_entries += shard->sealed->row_count();
      stats.head_line_bytes += shard->sealed->line_bytes();
    }
    for (const CatalogPackPtr& pack : *shard->catalog) {
      ++stats.packs;
      stats.pack_bytes += pack->summary.encoded_bytes;
      stats.pack_entries += pack->summary.row_count;
    }
  }
  stats.block_cache_hits = block_cache_.hits();
  stats.block_cache_misses = block_cache_.misses();
  stats.block_cache_bytes = static_cast<uint64_t>(block_cache_.used_bytes());
  stats.metrics = metric_store_->Stats();
  stats.disk_used_fraction = disk_.UsedFraction();
  stats.accepting_writes = recovered_.load(std::memory_order_relaxed) &&
                           !closing_.load(std::memory_order_relaxed) &&
                           stats.disk_used_fraction <= options_.disk_full_fraction;
  const auto remember_peak = [](std::atomic<int64_t>& peak, int64_t now) {
    int64_t seen = peak.load(std::memory_order_relaxed);
    while (seen < now && !peak.compare_exchange_weak(seen, now, std::memory_order_relaxed)) {
    }
    return std::max(seen, now);
  };
  // RocksDB's own; the peak is that of the readings.
  stats.budgets.push_back({.name = "journal",
                           .limit_bytes = plan_.journal_memtable_bytes * kJournalMemtablesMax,
                           .used_bytes = journal.memory_bytes,
                           .peak_bytes = remember_peak(journal_memory_peak_, journal.memory_bytes)});
  std::vector<const MemoryBudget*> budgets = {&total_budget_,       &heads_budget_,      &ingest_budget_,
                                              &query_budget_,       &block_cache_budget_, &pack_index_budget_,
                                              &compaction_budget_};
  for (const MemoryBudget* budget : metric_store_->budgets()) budgets.push_back(budget);
  for (const MemoryBudget* budget : budgets) {
    stats.budgets.push_back({.name = budget->name(),
                             .limit_bytes = budget->limit_bytes(),
                             .used_bytes = budget->used_bytes(),
                             .peak_bytes = budget->peak_bytes()});
  }
  return stats;
}

Status EngineImpl::Close() {
  {
    // Under the locks that waiters hold while they look at closing_, so that none misses the call.
    const MutexLock cut_lock(cut_mu_);
    const MutexLock room_lock(room_mu_);
    if (closing_.exchange(true)) return Status::Ok();
    for (CondVar* waiting : {&cut_wake_, &cut_progress_, &sync_wake_, &retention_wake_, &room_,
                             &compaction_wake_, &compaction_done_}) {
      waiting->NotifyAll();
    }
  }
  compaction_pool_.reset();
  background_pool_.reset();
  encode_pool_.reset();
  return stores_.journal->Sync();
}

Result<std::unique_ptr<Engine>> OpenWith(const EngineOptions& options, EngineStores stores) {
  EngineOptions resolved = ResolveOptions(options);
  VARVE_ASSIGN_OR_RETURN(const int64_t shard_count,
                         FixedSetting(stores.meta.get(), kShardCountSetting, resolved.shard_count));
  VARVE_ASSIGN_OR_RETURN(const int64_t metric_shard_count,
                         FixedSetting(stores.meta.get(), kMetricShardCountSetting, resolved.metric_shard_count));
  VARVE_ASSIGN_OR_RETURN(resolved.bucket_ns,
                         FixedSetting(stores.meta.get(), kBucketSetting, resolved.bucket_ns));
  if (shard_count > kMetricShardFirst) return Corruption("hot database: the setting shard_count is out of range");
  if (metric_shard_count > kMetricShardFirst) {
    return Corruption("hot database: the setting metric_shard_count is out of range");
  }
  resolved.shard_count = static_cast<uint32_t>(shard_count);
  resolved.metric_shard_count = static_cast<uint32_t>(metric_shard_count);
  auto engine = std::make_unique<EngineImpl>(resolved, std::move(stores));
  VARVE_RETURN_IF_ERROR(engine->Load());
  return std::unique_ptr<Engine>(std::move(engine));
}

Result<std::unique_ptr<Engine>> Engine::Open(const EngineOptions& options) {
  VARVE_RETURN_IF_ERROR(PrepareDataDir(options.data_dir, options.env));
  const EngineOptions resolved = ResolveOptions(options);
  const MemoryPlan plan = MemoryPlan::Make(resolved);
  EngineStores stores;
  VARVE_ASSIGN_OR_RETURN(stores.hot, HotDb::Open({.path = HotPath(options.data_dir),
                                                  .env = options.env,
                                                  .journal_memtable_bytes = plan.journal_memtable_bytes}));
  stores.meta = std::make_unique<RocksDbMetaStore>(stores.hot.get());
  VARVE_ASSIGN_OR_RETURN(const auto watermarks, stores.meta->ListWatermarks());
  JournalSeq floor = 0;
  for (const auto& [shard, seq] : watermarks) floor = std::max(floor, seq);
  VARVE_ASSIGN_OR_RETURN(stores.journal, RocksDbJournal::Open(stores.hot.get(), floor));
  VARVE_ASSIGN_OR_RETURN(stores.packs,
                         OpenRocksDbPackStore({.path = PacksPath(options.data_dir), .env = options.env}));
  return OpenWith(options, std::move(stores));
}

}  // namespace varve
