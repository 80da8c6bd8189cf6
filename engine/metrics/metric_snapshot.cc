#include "engine/metrics/metric_snapshot.h"

#include <algorithm>
#include <limits>

#include "engine/base/time.h"
#include "engine/engine_impl.h"
#include "engine/metrics/metric_store_impl.h"
#include "engine/sample_merge.h"

namespace varve {
namespace {

bool Overlaps(MetricRange a, MetricRange b) { return a.min_ms <= b.max_ms && b.min_ms <= a.max_ms; }

}  // namespace

int64_t MsOfPackTime(int64_t ts_ns) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  if (ts_ns == kMax || ts_ns == kMin) return ts_ns;
  return ts_ns / kNsPerMs;
}

Status MetricSnapshotImpl::ReadPacks(size_t number, MetricRange range, MemoryBudget* budget,
                                     SeriesSamples* out) const {
  const MetricSelection::Series& series = selection_.series[number];
  const MetricSelection::Shard& shard = selection_.shards[series.shard];
  MetricDeletes deletes;  // that take the series
  for (const MetricDeletePtr& one : selection_.deletes) {
    if (one->TakesSeries(labels_[number])) deletes.push_back(one);
  }
  thread_local SeriesSamples scratch;
  for (uint32_t i = series.refs_begin; i < series.refs_end; ++i) {
    const MetricSelection::PackRef& ref = selection_.refs[i];
    const CatalogPack& pack = *shard.packs[ref.pack];
    VARVE_ASSIGN_OR_RETURN(const auto index, packs_->Index(pack.id));
    SeriesSamples* const target = out->empty() ? out : &scratch;
    target->Clear();
    VARVE_RETURN_IF_ERROR(packs_->Read(pack.id, *index, ref.number, range, budget, target));
    for (const MetricDeletePtr& one : deletes) {
      if (one->Concerns(pack.summary)) one->DropFrom(target);
    }
    if (target != out) MergeSamples(scratch, out);
  }
  return Status::Ok();
}

Status MetricSnapshotImpl::Read(size_t number, MetricRange range, MemoryBudget* budget, SeriesSamples* out) const {
  out->Clear();
  range.min_ms = std::max(range.min_ms, selection_.range.min_ms);
  range.max_ms = std::min(range.max_ms, selection_.range.max_ms);
  if (range.min_ms > range.max_ms) return Status::Ok();
  const MetricSelection::Series& series = selection_.series[number];
  const MetricSelection::Shard& shard = selection_.shards[series.shard];
  if (series.refs_begin != series.refs_end) VARVE_RETURN_IF_ERROR(ReadPacks(number, range, budget, out));
  thread_local SeriesSamples scratch;
  const auto read_head = [&](const MetricHead& head, uint32_t slot, uint32_t ordered_max) {
    if (out->empty()) {
      head.Read(slot, range, ordered_max, out);
      return;
    }
    scratch.Clear();
    head.Read(slot, range, ordered_max, &scratch);
  };
  const auto merge_scratch = [&](bool into_scratch) {
    if (into_scratch) MergeSamples(scratch, out);
  };
  if (series.sealed_slot != MetricHead::kNone) {
    const bool into_scratch = !out->empty();
    read_head(*shard.view.sealed, series.sealed_slot, UINT32_MAX);
    merge_scratch(into_scratch);
  }
  if (series.active_slot != MetricHead::kNone) {
    const bool into_scratch = !out->empty();
    {
      const ReaderLock lock(shard.shard->mu);
      read_head(*shard.view.active, series.active_slot, series.active_ordered);
    }
    merge_scratch(into_scratch);
  }
  return Status::Ok();
}

Result<MetricSelection> MetricStoreImpl::Select(TenantId tenant, const std::vector<Matcher>& matchers,
                                                MetricRange range) const {
  MetricSelection selection;
  const bool unbounded = range.min_ms == INT64_MIN && range.max_ms == INT64_MAX;
  range.min_ms = std::max(range.min_ms, RetentionBeginMs(tenant));
  selection.range = range;
  if (range.min_ms > range.max_ms) return selection;
  // Before any catalog is looked at: a delete leaves the list only after the last pack it concerned is gone.
  selection.deletes = deletes_.Live(tenant, range);
  for (const auto& shard : shards_) {
    MetricSelection::Shard& of = selection.shards.emplace_back();
    of.shard = shard.get();
    of.view = MetricShardView::Of(*shard);
    for (const CatalogPackPtr& pack : *of.view.catalog) {
      const MetricRange span{.min_ms = MsOfPackTime(pack->summary.min_ts_ns),
                             .max_ms = MsOfPackTime(pack->summary.max_ts_ns)};
      if (!Overlaps(span, range)) continue;
      VARVE_RETURN_IF_ERROR(packs_.Index(pack->id).status().Clone());  // notes the days
      of.packs.push_back(pack);
    }
  }
  const std::vector<SeriesOrdinal> ordinals = series_.Select(tenant, matchers, unbounded ? DayRange{} : DaysOf(range));
  std::vector<std::vector<uint32_t>> by_shard(shards_.size());
  selection.series.reserve(ordinals.size());
  for (const SeriesOrdinal ordinal : ordinals) {
    const auto shard = static_cast<uint32_t>(series_.Get(ordinal).target % shards_.size());
    by_shard[shard].push_back(static_cast<uint32_t>(selection.series.size()));
    MetricSelection::Series& series = selection.series.emplace_back();
    series.ordinal = ordinal;
    series.shard = shard;
  }
  std::vector<bool> wanted(selection.series.size());
  for (size_t i = 0; i < by_shard.size(); ++i) {
    if (by_shard[i].empty()) continue;
    VARVE_RETURN_IF_ERROR(PickPacks(selection.shards[i], by_shard[i], &selection, &wanted));
    PickHeads(selection.shards[i], by_shard[i], &selection, &wanted);
  }
  size_t kept = 0;
  for (size_t i = 0; i < selection.series.size(); ++i) {
    if (wanted[i]) selection.series[kept++] = selection.series[i];
  }
  selection.series.resize(kept);
  return selection;
}

Status MetricStoreImpl::PickPacks(const MetricSelection::Shard& shard, const std::vector<uint32_t>& numbers,
                                  MetricSelection* selection, std::vector<bool>* wanted) const {
  struct Found {
    uint32_t series;
    MetricSelection::PackRef ref;
  };
  // By ordinal, as packs are.
  std::vector<uint32_t> ordered(numbers);
  std::sort(ordered.begin(), ordered.end(), [&](uint32_t a, uint32_t b) {
    return selection->series[a].ordinal < selection->series[b].ordinal;
  });
  std::vector<Found> found;
  std::vector<uint32_t> blocks;
  for (uint32_t i = 0; i < shard.packs.size(); ++i) {
    VARVE_ASSIGN_OR_RETURN(const auto index, packs_.Index(shard.packs[i]->id));
    const MetricPackDirectory& directory = index->directory;
    const bool all = directory.min_ts_ms >= selection->range.min_ms && directory.max_ts_ms <= selection->range.max_ms;
    auto at = index->series.begin();
    for (const uint32_t series : ordered) {
      const SeriesOrdinal ordinal = selection->series[series].ordinal;
      at = std::lower_bound(at, index->series.end(), ordinal,
                            [](const auto& entry, SeriesOrdinal wanted_ordinal) { return entry.first < wanted_ordinal; });
      if (at == index->series.end()) break;
      if (at->first != ordinal) continue;
      if (!all) {
        blocks.clear();
        directory.FindChunks(at->second, selection->range, &blocks);
        if (blocks.empty()) continue;
      }
      found.push_back({.series = series, .ref = {.pack = i, .number = at->second}});
      (*wanted)[series] = true;
      selection->series[series].certain |= all;
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.series < b.series; });
  for (size_t begin = 0; begin < found.size();) {
    MetricSelection::Series& series = selection->series[found[begin].series];
    series.refs_begin = static_cast<uint32_t>(selection->refs.size());
    size_t end = begin;
    for (; end < found.size() && found[end].series == found[begin].series; ++end) {
      selection->refs.push_back(found[end].ref);
    }
    series.refs_end = static_cast<uint32_t>(selection->refs.size());
    begin = end;
  }
  return Status::Ok();
}

void MetricStoreImpl::PickHeads(const MetricSelection::Shard& shard, const std::vector<uint32_t>& numbers,
                                MetricSelection* selection, std::vector<bool>* wanted) const {
  // Writers wait for one batch of series at most.
  constexpr size_t kBatch = 4096;
  for (size_t begin = 0; begin < numbers.size(); begin += kBatch) {
    const ReaderLock lock(shard.shard->mu);
    for (size_t i = begin; i < std::min(numbers.size(), begin + kBatch); ++i) {
      MetricSelection::Series& series = selection->series[numbers[i]];
      const auto pick = [&](const MetricHead* head) {
        const uint32_t slot = head == nullptr ? MetricHead::kNone : head->Find(series.ordinal);
        if (slot == MetricHead::kNone) return slot;
        const MetricRange span = head->SpanOf(slot);
        if (!Overlaps(span, selection->range)) return MetricHead::kNone;
        (*wanted)[numbers[i]] = true;
        series.certain |= selection->range.Contains(span.min_ms) || selection->range.Contains(span.max_ms);
        return slot;
      };
      series.sealed_slot = pick(shard.view.sealed.get());
      series.active_slot = pick(shard.view.active.get());
      if (series.active_slot != MetricHead::kNone) {
        series.active_ordered = shard.view.active->OrderedCount(series.active_slot);
      }
    }
  }
}

Result<MetricSelection> MetricStoreImpl::SelectListed(TenantId tenant, const std::vector<Matcher>& matchers,
                                                      MetricRange range) const {
  VARVE_ASSIGN_OR_RETURN(MetricSelection selection, Select(tenant, matchers, range));
  std::vector<uint32_t> doubtful;
  std::vector<PackedLabels> labels(selection.series.size());
  for (uint32_t i = 0; i < selection.series.size(); ++i) {
    if (selection.series[i].certain && selection.deletes.empty()) continue;
    doubtful.push_back(i);
    labels[i] = series_.LabelsOf(selection.series[i].ordinal);
  }
  if (doubtful.empty()) return selection;
  const MetricRange kept = selection.range;
  const MetricSnapshotImpl snapshot(&packs_, selection, std::move(labels));
  SeriesSamples samples;
  std::vector<bool> listed(selection.series.size(), true);
  for (const uint32_t i : doubtful) {
    VARVE_RETURN_IF_ERROR(snapshot.Read(i, kept, nullptr, &samples));
    listed[i] = !samples.empty();
  }
  size_t count = 0;
  for (size_t i = 0; i < selection.series.size(); ++i) {
    if (listed[i]) selection.series[count++] = selection.series[i];
  }
  selection.series.resize(count);
  return selection;
}

Result<std::unique_ptr<const MetricSnapshot>> MetricStoreImpl::Snapshot(TenantId tenant,
                                                                        const std::vector<Matcher>& matchers,
                                                                        MetricRange range) const {
  VARVE_ASSIGN_OR_RETURN(MetricSelection selection, Select(tenant, matchers, range));
  std::vector<PackedLabels> labels;
  labels.reserve(selection.series.size());
  for (const MetricSelection::Series& series : selection.series) labels.push_back(series_.LabelsOf(series.ordinal));
  return std::unique_ptr<const MetricSnapshot>(
      std::make_unique<MetricSnapshotImpl>(&packs_, std::move(selection), std::move(labels)));
}

Status MetricStoreImpl::ReadPack(const PackId& pack, SeriesOrdinal series, MetricRange range,
                                 SeriesSamples* out) const {
  out->Clear();
  VARVE_ASSIGN_OR_RETURN(const auto index, packs_.Index(pack));
  const auto at = std::lower_bound(index->series.begin(), index->series.end(), std::pair(series, uint32_t{0}));
  if (at == index->series.end() || at->first != series) return Status::Ok();
  return packs_.Read(pack, *index, at->second, range, nullptr, out);
}

Status MetricStoreImpl::ReadElsewhere(MetricShard* shard, SeriesOrdinal series, TenantId tenant, MetricRange range,
                                      SeriesSamples* out) const {
  out->Clear();
  if (range.min_ms > range.max_ms) return Status::Ok();
  const MetricDeletes deletes = deletes_.Live(tenant, range);
  const MetricShardView view = MetricShardView::Of(*shard);
  SeriesSamples samples;
  for (const CatalogPackPtr& pack : *view.catalog) {
    const MetricRange span{.min_ms = MsOfPackTime(pack->summary.min_ts_ns),
                           .max_ms = MsOfPackTime(pack->summary.max_ts_ns)};
    if (!Overlaps(span, range)) continue;
    Status read = ReadPack(pack->id, series, range, &samples);
    // What a damaged pack held cannot be compared with: the sample is taken, or its sender would try for ever.
    if (read.code() == Code::kCorruption || read.code() == Code::kNotFound) continue;
    VARVE_RETURN_IF_ERROR(std::move(read));
    for (const MetricDeletePtr& one : deletes) {
      if (one->Concerns(pack->summary) && one->TakesSeries(series_.LabelsOf(series))) one->DropFrom(&samples);
    }
    MergeSamples(samples, out);
  }
  if (view.sealed == nullptr) return Status::Ok();
  const uint32_t slot = view.sealed->Find(series);
  if (slot == MetricHead::kNone) return Status::Ok();
  samples.Clear();
  view.sealed->Read(slot, range, UINT32_MAX, &samples);
  MergeSamples(samples, out);
  return Status::Ok();
}

}  // namespace varve
