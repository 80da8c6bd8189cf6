#include "engine/metrics/metric_packs.h"

#include <algorithm>
#include <optional>

#include "engine/pack_index_cache.h"

namespace varve {

int64_t MetricPackIndex::MemoryBytes() const {
  return directory.MemoryBytes() + static_cast<int64_t>(series.capacity() * sizeof(series[0]));
}

MetricBlockCache::MetricBlockCache(MemoryBudget* budget, size_t shard_count)
    : budget_(budget), shard_bytes_max_(budget->limit_bytes() / static_cast<int64_t>(shard_count)) {
  for (size_t i = 0; i < shard_count; ++i) shards_.push_back(std::make_unique<Shard>());
}

MetricBlockCache::~MetricBlockCache() {
  for (const auto& shard : shards_) {
    const MutexLock lock(shard->mu);
    budget_->Release(shard->used);
  }
}

std::shared_ptr<const void> MetricBlockCache::Find(uint64_t pack, uint32_t block) {
  Shard& shard = ShardOf({pack, block});
  const MutexLock lock(shard.mu);
  const auto it = shard.by_key.find({pack, block});
  if (it == shard.by_key.end()) {
    misses_.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }
  hits_.fetch_add(1, std::memory_order_relaxed);
  shard.newest_first.splice(shard.newest_first.begin(), shard.newest_first, it->second);
  return it->second->value;
}

bool MetricBlockCache::Insert(uint64_t pack, uint32_t block, std::shared_ptr<const void> value, int64_t bytes) {
  constexpr int64_t kSlotBytes = 160;
  bytes += kSlotBytes;
  if (bytes > shard_bytes_max_) return false;
  Shard& shard = ShardOf({pack, block});
  const MutexLock lock(shard.mu);
  if (shard.by_key.contains({pack, block})) return true;
  while (shard.used + bytes > shard_bytes_max_ || !budget_->Reserve(bytes).ok()) {
    if (shard.newest_first.empty()) return false;
    const Slot& oldest = shard.newest_first.back();
    shard.used -= oldest.bytes;
    budget_->Release(oldest.bytes);
    shard.by_key.erase(oldest.key);
    shard.newest_first.pop_back();
  }
  shard.used += bytes;
  shard.newest_first.push_front({.key = {pack, block}, .value = std::move(value), .bytes = bytes});
  shard.by_key[{pack, block}] = shard.newest_first.begin();
  return true;
}

void MetricBlockCache::ErasePack(uint64_t pack) {
  for (const auto& shard : shards_) {
    const MutexLock lock(shard->mu);
    for (auto it = shard->newest_first.begin(); it != shard->newest_first.end();) {
      if (it->key.pack != pack) {
        ++it;
        continue;
      }
      shard->used -= it->bytes;
      budget_->Release(it->bytes);
      shard->by_key.erase(it->key);
      it = shard->newest_first.erase(it);
    }
  }
}

Result<std::shared_ptr<const MetricPackIndex>> MetricPacks::Convert(const PackId& id, MetricPackDirectory directory) {
  auto index = std::make_shared<MetricPackIndex>();
  index->series.reserve(directory.series_count());
  std::optional<MetricPackDirectory> with_labels;
  for (uint32_t number = 0; number < directory.series_count(); ++number) {
    const uint64_t fingerprint = directory.fingerprints[number];
    std::optional<SeriesOrdinal> ordinal = series_->FindFingerprint(fingerprint);
    if (!ordinal.has_value()) {
      if (!with_labels.has_value()) {
        VARVE_ASSIGN_OR_RETURN(with_labels, ReadMetricPackDirectory(*store_, id, MetricLabels::kRead));
      }
      const std::string& tenant_name = with_labels->tenants[with_labels->TenantOf(number)];
      VARVE_ASSIGN_OR_RETURN(const TenantId tenant, tenants_->InternTenant(tenant_name));
      Status loaded = series_->Load(tenant, tenant_name, with_labels->LabelsOf(number), fingerprint);
      ordinal = series_->FindFingerprint(fingerprint);  // or another thread was faster
      if (!ordinal.has_value()) return loaded;
    }
    index->series.emplace_back(*ordinal, number);
  }
  std::sort(index->series.begin(), index->series.end());
  bool mark = false;
  {
    const MutexLock lock(mu_);
    mark = !marked_.contains(id.number);
  }
  if (mark) {
    const DayRange days = DaysOf({.min_ms = directory.min_ts_ms, .max_ms = directory.max_ts_ms});
    for (const auto& [ordinal, number] : index->series) series_->MarkActive(ordinal, days);
    const MutexLock lock(mu_);
    marked_.insert(id.number);
  }
  directory.fingerprints = {};
  directory.label_bytes = {};
  directory.label_ends = {};
  index->directory = std::move(directory);
  return std::shared_ptr<const MetricPackIndex>(std::move(index));
}

Result<std::shared_ptr<const MetricPackIndex>> MetricPacks::Index(const PackId& id) {
  if (auto cached = indexes_.Find(id.number, kPackDirectoryBlock)) {
    return std::static_pointer_cast<const MetricPackIndex>(std::move(cached));
  }
  Result<MetricPackDirectory> directory = ReadMetricPackDirectory(*store_, id, MetricLabels::kSkip);
  if (!directory.ok()) return CommittedPackError(std::move(directory).status());
  VARVE_ASSIGN_OR_RETURN(std::shared_ptr<const MetricPackIndex> index, Convert(id, std::move(directory).value()));
  indexes_.Insert(id.number, kPackDirectoryBlock, index, index->MemoryBytes());
  return index;
}

Status MetricPacks::PutIndex(const PackId& id, MetricPackDirectory directory) {
  VARVE_ASSIGN_OR_RETURN(const std::shared_ptr<const MetricPackIndex> index, Convert(id, std::move(directory)));
  indexes_.Insert(id.number, kPackDirectoryBlock, index, index->MemoryBytes());
  return Status::Ok();
}

template <typename Parsed>
Result<std::shared_ptr<const Parsed>> MetricPacks::Block(const PackId& id, uint32_t block, MemoryReservation* charge) {
  if (auto cached = blocks_.Find(id.number, block)) return std::static_pointer_cast<const Parsed>(std::move(cached));
  const auto error = [&](Status status) {
    return CommittedPackError(std::move(status)).WithContext(id.ToString() + " block " + std::to_string(block));
  };
  Result<PackBytes> bytes = store_->ReadBlock(id, block);
  if (!bytes.ok()) return error(std::move(bytes).status());
  Result<Parsed> parsed = Parsed::Parse(bytes->view, bytes->owner);
  if (!parsed.ok()) return error(std::move(parsed).status());
  auto shared = std::make_shared<const Parsed>(std::move(parsed).value());
  if (!blocks_.Insert(id.number, block, shared, shared->MemoryBytes()) && charge != nullptr) {
    VARVE_RETURN_IF_ERROR(charge->Add(shared->MemoryBytes()));
  }
  return shared;
}

// The timelines of one span of a pack; remembers the block it found last.
class MetricPacks::Timelines final : public TimelineSource {
 public:
  Timelines(MetricPacks* packs, const PackId& id, const MetricPackDirectory* directory, MemoryReservation* charge)
      : packs_(packs), id_(id), directory_(directory), charge_(charge) {}
  void SetSpan(const MetricSpan& span) {
    if (span == span_) return;
    span_ = span;
    last_ = nullptr;
  }
  Result<std::shared_ptr<const ParsedTimelines>> BlockOf(uint32_t timeline) const override {
    if (last_ != nullptr && last_->Contains(timeline)) return last_;
    const std::optional<uint32_t> block = directory_->TimelineBlockOf(span_, timeline);
    if (!block.has_value()) return Corruption(id_.ToString() + " lacks a timeline that a chunk names");
    VARVE_ASSIGN_OR_RETURN(last_, packs_->Block<ParsedTimelines>(id_, *block, charge_));
    return last_;
  }

 private:
  MetricPacks* const packs_;
  const PackId id_;
  const MetricPackDirectory* const directory_;
  MemoryReservation* const charge_;
  MetricSpan span_{.begin_ms = INT64_MIN, .length_ms = 0};
  mutable std::shared_ptr<const ParsedTimelines> last_;
};

Status MetricPacks::Read(const PackId& id, const MetricPackIndex& index, uint32_t number, MetricRange range,
                         MemoryBudget* budget, SeriesSamples* append) {
  std::vector<uint32_t> blocks;
  index.directory.FindChunks(number, range, &blocks);
  std::optional<MemoryReservation> reservation;
  MemoryReservation* const charge = budget == nullptr ? nullptr : &reservation.emplace(budget);
  Timelines timelines(this, id, &index.directory, charge);
  for (const uint32_t block : blocks) {
    VARVE_ASSIGN_OR_RETURN(const auto chunks, Block<ParsedMetricBlock>(id, block, charge));
    timelines.SetSpan(chunks->span());
    Status status = chunks->Read(number, range, timelines, append);
    if (!status.ok()) return std::move(status).WithContext(id.ToString() + " block " + std::to_string(block));
  }
  return Status::Ok();
}

void MetricPacks::ErasePack(uint64_t number) {
  blocks_.ErasePack(number);
  indexes_.ErasePack(number);
  const MutexLock lock(mu_);
  marked_.erase(number);
}

}  // namespace varve
