// A sealed head of metrics becomes packs: one for each retention class and day (UTC) that it has samples of.
//
// The packs of a few days are written at once, while the series pass by in the order of the packs (tenant, metric,
// labels); a head that touches more days, as after an import, is passed several times.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "engine/base/failpoint.h"
#include "engine/engine_impl.h"
#include "engine/metrics/metric_store_impl.h"
#include "engine/packs/metric_pack_writer.h"

namespace varve {
namespace {

constexpr size_t kPacksAtOnce = 4;

struct DayKey {
  uint8_t retention_class = 0;
  int32_t day = 0;
  auto operator<=>(const DayKey&) const = default;
};

struct OpenPack {
  PackId id;
  std::unique_ptr<PendingPack> pending;
  std::unique_ptr<MetricPackWriter> writer;
};

MetricRange RangeOfDay(int32_t day) {
  const int64_t begin_ms = int64_t{day} * kMetricBucketMs;
  return {.min_ms = begin_ms, .max_ms = begin_ms + (kMetricBucketMs - 1)};
}

}  // namespace

// Writes one head.
class MetricHeadEncoder {
 public:
  MetricHeadEncoder(MetricStoreImpl* store, uint16_t shard, const MetricHead& head)
      : store_(store), shard_(shard), head_(head), policy_(RetentionPolicyOf(store->engine_->options_)) {}

  Result<MetricCutResult> Run() {
    Sort();
    const std::set<DayKey> keys = Keys();
    std::vector<DayKey> some;
    for (auto it = keys.begin(); it != keys.end();) {
      some.assign(1, *it);
      for (++it; it != keys.end() && some.size() < kPacksAtOnce; ++it) some.push_back(*it);
      VARVE_RETURN_IF_ERROR(WritePacks(some));
    }
    return std::move(result_);
  }

 private:
  struct Item {
    uint32_t tenant = 0;  // index into tenants_
    uint32_t slot = 0;
    std::string canonical;
  };

  void Sort() {
    std::map<std::string, TenantId> names;
    std::map<TenantId, std::string> of_tenant;
    for (uint32_t slot = 0; slot < head_.series_count(); ++slot) {
      const TenantId tenant = store_->series_.Get(head_.SeriesOf(slot)).tenant;
      if (of_tenant.contains(tenant)) continue;
      of_tenant[tenant] = store_->engine_->streams_.TenantName(tenant);
      names[of_tenant[tenant]] = tenant;
    }
    std::map<TenantId, uint32_t> rank;
    for (const auto& [name, tenant] : names) {
      rank[tenant] = static_cast<uint32_t>(tenants_.size());
      tenants_.push_back(name);
      classes_.push_back(policy_->ClassOf(policy_->BasePeriodNs(name)));
    }
    for (uint32_t slot = 0; slot < head_.series_count(); ++slot) {
      const MetricRange span = head_.SpanOf(slot);
      if (span.min_ms > span.max_ms) continue;  // all that was meant for it was refused
      const SeriesOrdinal series = head_.SeriesOf(slot);
      items_.push_back({.tenant = rank[store_->series_.Get(series).tenant],
                        .slot = slot,
                        .canonical = store_->series_.LabelsOf(series).canonical()});
    }
    std::sort(items_.begin(), items_.end(), [](const Item& a, const Item& b) {
      return a.tenant != b.tenant ? a.tenant < b.tenant : MetricSeriesLess(a.canonical, b.canonical);
    });
  }

  std::set<DayKey> Keys() const {
    std::set<DayKey> keys;
    SeriesSamples samples;
    for (const Item& item : items_) {
      const uint8_t retention_class = classes_[item.tenant];
      const MetricRange span = head_.SpanOf(item.slot);
      const int32_t first = MetricBucketOf(span.min_ms);
      const int32_t last = MetricBucketOf(span.max_ms);
      keys.insert({retention_class, first});
      keys.insert({retention_class, last});
      if (last - int64_t{first} < 2) continue;
      samples.Clear();
      head_.Read(item.slot, {}, UINT32_MAX, &samples);
      for (const int64_t ts_ms : samples.float_ts_ms) keys.insert({retention_class, MetricBucketOf(ts_ms)});
      for (const HistogramSample& one : samples.histograms) keys.insert({retention_class, MetricBucketOf(one.ts_ms)});
    }
    return keys;
  }

  Status WritePacks(const std::vector<DayKey>& keys) {
    std::map<DayKey, OpenPack> packs;
    for (const DayKey& key : keys) {
      OpenPack& pack = packs[key];
      pack.id = {.retention_class = key.retention_class,
                 .bucket = key.day,
                 .shard = shard_,
                 .number = store_->engine_->last_pack_number_.fetch_add(1, std::memory_order_relaxed) + 1};
      VARVE_ASSIGN_OR_RETURN(pack.pending, store_->engine_->stores_.packs->Begin(pack.id));
      pack.writer = std::make_unique<MetricPackWriter>(MetricPackWriterOptions{}, pack.pending.get());
    }
    for (const Item& item : items_) VARVE_RETURN_IF_ERROR(AddItem(item, &packs));
    for (auto& [key, pack] : packs) {
      VARVE_ASSIGN_OR_RETURN(MetricPackDirectory directory, pack.writer->Finish());
      VARVE_KILL_POINT("after_metric_pack_write");
      result_.packs.push_back({.id = pack.id, .directory = std::move(directory)});
    }
    return Status::Ok();
  }

  Status AddItem(const Item& item, std::map<DayKey, OpenPack>* packs) {
    const MetricRange span = head_.SpanOf(item.slot);
    for (auto& [key, pack] : *packs) {
      const MetricRange day = RangeOfDay(key.day);
      if (key.retention_class != classes_[item.tenant] || span.max_ms < day.min_ms || span.min_ms > day.max_ms) {
        continue;
      }
      samples_.Clear();
      head_.Read(item.slot, day, UINT32_MAX, &samples_);
      if (samples_.empty()) continue;
      const uint64_t fingerprint = store_->series_.Get(head_.SeriesOf(item.slot)).fingerprint;
      VARVE_RETURN_IF_ERROR(pack.writer->AddSeries(fingerprint, tenants_[item.tenant], item.canonical));
      VARVE_RETURN_IF_ERROR(pack.writer->AddSamples(samples_));
    }
    return Status::Ok();
  }

  MetricStoreImpl* const store_;
  const uint16_t shard_;
  const MetricHead& head_;
  const std::shared_ptr<const RetentionPolicy> policy_;
  std::vector<std::string> tenants_;  // ascending
  std::vector<uint8_t> classes_;      // of each
  std::vector<Item> items_;
  SeriesSamples samples_;
  MetricCutResult result_;
};

bool MetricStoreImpl::CutShard(MetricShard* shard) {
  auto fresh = std::make_shared<MetricHead>(&heads_budget_);
  {
    const MutexLock append_lock(shard->append_mu);
    const WriterLock lock(shard->mu);
    if (shard->active->empty() || shard->sealed != nullptr) return false;
    shard->sealed_through = engine_->CutSeq();
    shard->sealed = std::move(shard->active);
    shard->active = std::move(fresh);
  }
  VARVE_KILL_POINT("after_metric_cut");
  return true;
}

void MetricStoreImpl::FinishCut(MetricShard* shard) {
  std::shared_ptr<const MetricHead> head;
  {
    const ReaderLock lock(shard->mu);
    head = shard->sealed;
  }
  // As for logs: packs may be written anew under new numbers, but once a commit was tried only the very same may follow.
  std::optional<MetricCutResult> written;
  engine_->RunCut([&]() -> Status {
    if (!written.has_value()) {
      VARVE_ASSIGN_OR_RETURN(written, MetricHeadEncoder(this, shard->number, *head).Run());
      VARVE_KILL_POINT("after_all_metric_packs");
    }
    VARVE_RETURN_IF_ERROR(CommitCut(shard, *written));
    head.reset();  // before the news that there is room
    return Status::Ok();
  });
}

Status MetricStoreImpl::CommitCut(MetricShard* shard, const MetricCutResult& cut) {
  std::vector<CatalogPackPtr> packs;
  MetaCommit commit;
  for (const MetricCutResult::Pack& pack : cut.packs) {
    packs.push_back(std::make_shared<CatalogPack>(
        CatalogPack{.id = pack.id, .summary = SummaryOf(pack.directory, pack.id.number)}));
    commit.added.push_back(EncodeCatalogPack(*packs.back()));
    packs_.PutIndex(pack.id, pack.directory).IgnoreError("a cache; the query that needs it will say");
  }
  const MutexLock commit_lock(engine_->commit_mu_);
  {
    const ReaderLock lock(shard->mu);
    commit.watermarks.push_back({.shard = shard->number, .seq = shard->sealed_through});
  }
  VARVE_RETURN_IF_ERROR(engine_->CommitWithWatermarks(&commit));
  counters_.cuts.fetch_add(1, std::memory_order_relaxed);
  const MutexLock append_lock(shard->append_mu);
  NoteNewest(*shard->sealed_for_append());
  const WriterLock lock(shard->mu);
  auto catalog = std::make_shared<Catalog>(*shard->catalog);
  catalog->insert(catalog->end(), packs.begin(), packs.end());
  std::sort(catalog->begin(), catalog->end(), [](const CatalogPackPtr& a, const CatalogPackPtr& b) {
    return a->summary.origin < b->summary.origin;
  });
  shard->catalog = std::move(catalog);
  shard->sealed = nullptr;
  return Status::Ok();
}

// What is in packs from now on is remembered by its latest time alone.
void MetricStoreImpl::NoteNewest(const MetricHead& head) {
  for (uint32_t slot = 0; slot < head.series_count(); ++slot) {
    const SeriesOrdinal series = head.SeriesOf(slot);
    const int64_t newest_ms = std::max(head.newest_ms(slot), newest_.Get(series).value_or(INT64_MIN));
    newest_.Set(series, newest_ms);
  }
}

}  // namespace varve
