// The metric store inside the engine: heads by shard, packs, and what goes with them. See metric_store.h.
//
// One class, one file per concern: metric_store_impl.cc (identity, labels, statistics), metric_append.cc (life of a
// write, replay), metric_cut.cc (heads into packs), metric_snapshot.cc (reading), metric_deletes.cc (deletes and
// retention). Journal, meta store, packs, commits and the cut scheduler are the engine's.
// Lock order: EngineImpl::commit_mu_ → MetricShard's (metric_shard.h) → the leaf locks of tables and caches.
// Threads: as metric_store.h.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/memory_budget.h"
#include "engine/base/mutex.h"
#include "engine/index/series_table.h"
#include "engine/memory_plan.h"
#include "engine/meta/meta_store.h"
#include "engine/metric_store.h"
#include "engine/metrics/exemplar_store.h"
#include "engine/metrics/metadata_store.h"
#include "engine/metrics/metric_deletes.h"
#include "engine/metrics/metric_packs.h"
#include "engine/metrics/metric_shard.h"
#include "engine/metrics/metric_snapshot.h"
#include "engine/metrics/newest_times.h"

namespace varve {

class EngineImpl;
struct MetricMergeStats;
class RetentionPolicy;

// The packs that a cut has written.
struct MetricCutResult {
  struct Pack {
    PackId id;
    MetricPackDirectory directory;
  };
  std::vector<Pack> packs;
};

// What packs can hold: their summaries count in nanoseconds, and a span must not leave those.
inline constexpr int64_t kStorableMinMs = INT64_MIN / 1'000'000 + 24LL * 3600 * 1000;
inline constexpr int64_t kStorableMaxMs = INT64_MAX / 1'000'000 - 24LL * 3600 * 1000;

class MetricStoreImpl final : public MetricStore {
 public:
  // `engine` must outlive this; `total` too.
  MetricStoreImpl(EngineImpl* engine, const MemoryPlan& plan, MemoryBudget* total);
  ~MetricStoreImpl() override;

  // Makes the shards, with their catalogs (each ascending by origin), then what the meta store knows of series.
  Status Load(std::vector<Catalog> catalogs);

  Result<SeriesOrdinal> InternSeries(TenantId tenant, const PackedLabels& labels, uint64_t series_max) override;
  PackedLabels SeriesLabels(SeriesOrdinal series) const override { return series_.LabelsOf(series); }
  Result<MetricVerdicts> Append(TenantId tenant, const MetricBatch& batch, const MetricRecordFn& record) override;
  Result<std::unique_ptr<const MetricSnapshot>> Snapshot(TenantId tenant, const std::vector<Matcher>& matchers,
                                                         MetricRange range) const override;
  Result<std::vector<PackedLabels>> SelectSeries(TenantId tenant, const std::vector<Matcher>& matchers,
                                                 MetricRange range, size_t limit) const override;
  Result<std::vector<std::string>> LabelNames(TenantId tenant, const std::vector<Matcher>& matchers,
                                              MetricRange range) const override;
  Result<std::vector<std::string>> LabelValues(TenantId tenant, std::string_view name,
                                               const std::vector<Matcher>& matchers,
                                               MetricRange range) const override;
  Result<std::vector<ExemplarSeries>> Exemplars(TenantId tenant, const std::vector<std::vector<Matcher>>& selectors,
                                                MetricRange range) const override;
  std::vector<MetricMetadata> Metadata(TenantId tenant, std::string_view metric) const override;
  CardinalityReport Cardinality(TenantId tenant, size_t limit) const override;
  MetricStoreStats Stats() const override;
  Status DeleteSamples(TenantId tenant, const std::vector<Matcher>& matchers, MetricRange range) override;

  // --- For the engine: metric_append.cc
  // Puts the samples of a replayed record into the shards whose watermark (by shard) lies below it.
  void Replay(JournalSeq seq, TenantId tenant, const MetricBatch& batch, const std::vector<JournalSeq>& watermarks);

  // --- metric_cut.cc
  // Freezes the shard's head. False when there is nothing to cut or the last cut is not committed yet.
  bool CutShard(MetricShard* shard);
  // Encodes and commits the sealed head, trying again until it works or the engine closes.
  void FinishCut(MetricShard* shard);

  // How long the pack's samples are kept: the longest period of its tenants; 0 for ever.
  int64_t PeriodNs(const CatalogPack& pack, const RetentionPolicy& policy) const;
  // Of a pack that is being dropped.
  void ForgetPack(const PackId& id) { packs_.ErasePack(id.number); }

  // --- metric_compaction.cc; for the compaction thread
  // Merges and rewrites packs until there is nothing left to do.
  Status Compact(bool all);

  const std::vector<std::unique_ptr<MetricShard>>& shards() const { return shards_; }
  MemoryBudget* heads_budget() { return &heads_budget_; }
  std::vector<const MemoryBudget*> budgets() const { return {&heads_budget_, &blocks_budget_, &indexes_budget_}; }

 private:
  friend class MetricAppend;
  friend class MetricHeadEncoder;

  MetricShard& ShardOf(SeriesOrdinal series) const { return *shards_[series_.Get(series).target % shards_.size()]; }
  // The series that match and have a sample in `range`, as far as heads and directories tell.
  Result<MetricSelection> Select(TenantId tenant, const std::vector<Matcher>& matchers, MetricRange range) const;
  // The same, of those only that have a sample in the range: reads those of which that is not known.
  Result<MetricSelection> SelectListed(TenantId tenant, const std::vector<Matcher>& matchers, MetricRange range) const;
  // Finds these series of the selection, which are in `shard`, in its packs, and notes which are in one.
  Status PickPacks(const MetricSelection::Shard& shard, const std::vector<uint32_t>& numbers,
                   MetricSelection* selection, std::vector<bool>* wanted) const;
  // Fills in the head slots of these series of the selection, which are in `shard`, and notes which have one.
  void PickHeads(const MetricSelection::Shard& shard, const std::vector<uint32_t>& numbers, MetricSelection* selection,
                 std::vector<bool>* wanted) const;
  // Replaces `out` by the series' samples in the pack.
  Status ReadPack(const PackId& pack, SeriesOrdinal series, MetricRange range, SeriesSamples* out) const;
  // Replaces `out` by the series' samples in the sealed head and the packs, for judging; to be called by the holder of
  // the shard's append_mu.
  Status ReadElsewhere(MetricShard* shard, SeriesOrdinal series, TenantId tenant, MetricRange range,
                       SeriesSamples* out) const;
  Status CommitCut(MetricShard* shard, const MetricCutResult& cut);
  void NoteNewest(const MetricHead& head);
  struct MergePlan;
  bool HoldsSamplesOf(const MetricDelete& request, const CatalogPack& pack);
  MergePlan PlanMerge(const MetricShard& shard, bool all);
  Result<std::optional<MetricPackDirectory>> WriteMerge(const MergePlan& plan, MetricMergeStats* stats);
  Status MergeShardPacks(MetricShard* shard, MergePlan* plan);
  std::vector<uint64_t> DeletesAppliedBy(const MergePlan& plan) const;
  bool StillHolds(const MetricShard& shard, const MergePlan& plan) const;
  Result<bool> CommitMerge(MetricShard* shard, const MergePlan& plan, const CatalogPackPtr& output);
  Status ForgetAppliedDeletes();
  void CountAppended(const MetricVerdicts& verdicts, size_t exemplars);
  // The oldest time that is kept of the tenant's samples.
  int64_t RetentionBeginMs(TenantId tenant) const;

  EngineImpl* const engine_;
  MemoryBudget heads_budget_;
  MemoryBudget blocks_budget_;
  MemoryBudget indexes_budget_;
  SeriesTable series_;
  NewestTimes newest_;
  mutable MetricPacks packs_;
  MetricDeleteLedger deletes_;
  ExemplarStore exemplars_;
  MetadataStore metadata_;
  std::vector<std::unique_ptr<MetricShard>> shards_;  // constant after Load
  // The compaction thread's own: (request, pack) where the pack has no sample that the request takes.
  std::set<std::pair<uint64_t, uint64_t>> untouched_by_deletes_;

  // Statistics: relaxed counters, they publish nothing.
  struct Counters {
    std::atomic<uint64_t> samples{0}, histograms{0}, exemplars{0}, out_of_order{0}, conflict{0}, too_old{0}, already_there{0}, cuts{0};
  } counters_;
};

}  // namespace varve
