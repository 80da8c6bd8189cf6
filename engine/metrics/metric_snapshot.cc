#include "engine/metrics/metric_snapshot.h"

#include <algorithm>
#include <limits>

#include "engine/base/time.h"
#include "engine/engine_impl.h"
#include "engine/metrics/metric_store_impl.h"

namespace varve {
namespace {

bool Overlaps(MetricRange a, MetricRange b) { return a.min_ms <= b.max_ms && b.min_ms <= a.max_ms; }

int64_t StartOf(const std::vector<int64_t>& starts, size_t i) { return starts.empty() ? kNoStartMs : starts[i]; }

void AppendFloat(const SeriesSamples& from, size_t i, bool with_starts, SeriesSamples* to) {
  to->float_ts_ms.push_back(from.float_ts_ms[i]);
  to->floats.push_back(from.floats[i]);
  if (with_starts) to->float_starts_ms.push_back(StartOf(from.float_starts_ms, i));
}

void AppendHistogram(const SeriesSamples& from, size_t i, bool with_starts, SeriesSamples* to) {
  to->histograms.push_back(from.histograms[i]);
  if (with_starts) to->histogram_starts_ms.push_back(StartOf(from.histogram_starts_ms, i));
}

// Merges two ascending lists of one kind; of two at one time `first`'s stays.
template <typename TimeOf, typename Add>
void MergeKind(size_t first_size, size_t second_size, TimeOf&& time_of, Add&& add) {
  size_t i = 0;
  size_t k = 0;
  while (i < first_size || k < second_size) {
    if (k == second_size) {
      add(true, i++);
    } else if (i == first_size) {
      add(false, k++);
    } else if (time_of(true, i) <= time_of(false, k)) {
      if (time_of(true, i) == time_of(false, k)) ++k;
      add(true, i++);
    } else {
      add(false, k++);
    }
  }
}

// Leaves out of `from` what stands at a time at which `than` has a sample of the other kind.
SeriesSamples WithoutTimesOf(const SeriesSamples& from, const SeriesSamples& than) {
  SeriesSamples out;
  const auto has_histogram = [&](int64_t ts_ms) {
    const auto at = std::lower_bound(than.histograms.begin(), than.histograms.end(), ts_ms,
                                     [](const HistogramSample& item, int64_t ms) { return item.ts_ms < ms; });
    return at != than.histograms.end() && at->ts_ms == ts_ms;
  };
  for (size_t i = 0; i < from.floats.size(); ++i) {
    if (!has_histogram(from.float_ts_ms[i])) AppendFloat(from, i, !from.float_starts_ms.empty(), &out);
  }
  for (size_t i = 0; i < from.histograms.size(); ++i) {
    if (!std::binary_search(than.float_ts_ms.begin(), than.float_ts_ms.end(), from.histograms[i].ts_ms)) {
      AppendHistogram(from, i, !from.histogram_starts_ms.empty(), &out);
    }
  }
  return out;
}

}  // namespace

int64_t MsOfPackTime(int64_t ts_ns) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  if (ts_ns == kMax || ts_ns == kMin) return ts_ns;
  return ts_ns / kNsPerMs;
}

int64_t PackTimeOfMs(int64_t ts_ms) {
  int64_t ts_ns = 0;
  if (!__builtin_mul_overflow(ts_ms, kNsPerMs, &ts_ns)) return ts_ns;
  return ts_ms < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}

void MergeSamples(const SeriesSamples& from_all, SeriesSamples* to) {
  const bool mixed = (!from_all.floats.empty() && !to->histograms.empty()) ||
                     (!from_all.histograms.empty() && !to->floats.empty());
  SeriesSamples filtered;
  if (mixed) filtered = WithoutTimesOf(from_all, *to);
  const SeriesSamples& from = mixed ? filtered : from_all;
  SeriesSamples out;
  const bool float_starts = !to->float_starts_ms.empty() || !from.float_starts_ms.empty();
  const auto float_time = [&](bool first, size_t i) { return first ? to->float_ts_ms[i] : from.float_ts_ms[i]; };
  MergeKind(to->floats.size(), from.floats.size(), float_time,
            [&](bool first, size_t i) { AppendFloat(first ? *to : from, i, float_starts, &out); });
  const bool histogram_starts = !to->histogram_starts_ms.empty() || !from.histogram_starts_ms.empty();
  const auto histogram_time = [&](bool first, size_t i) {
    return first ? to->histograms[i].ts_ms : from.histograms[i].ts_ms;
  };
  MergeKind(to->histograms.size(), from.histograms.size(), histogram_time,
            [&](bool first, size_t i) { AppendHistogram(first ? *to : from, i, histogram_starts, &out); });
  *to = std::move(out);
}

// Adds a source's samples: mostly they are all later than those before.
static void AddSource(const SeriesSamples& source, SeriesSamples* out) {
  if (source.empty()) return;
  MergeSamples(source, out);
}

Status MetricSnapshotImpl::Read(size_t number, MetricRange range, MemoryBudget* /*budget*/, SeriesSamples* out) const {
  out->Clear();
  range.min_ms = std::max(range.min_ms, selection_.range.min_ms);
  range.max_ms = std::min(range.max_ms, selection_.range.max_ms);
  const MetricSelection::Series& series = selection_.series[number];
  const MetricSelection::Shard& shard = selection_.shards[series.shard];
  if (series.sealed_slot != MetricHead::kNone) shard.view.sealed->Read(series.sealed_slot, range, UINT32_MAX, out);
  if (series.active_slot == MetricHead::kNone) return Status::Ok();
  SeriesSamples* const target = out;
  if (out->empty()) {
    const ReaderLock lock(shard.shard->mu);
    shard.view.active->Read(series.active_slot, range, series.active_ordered, target);
    return Status::Ok();
  }
  SeriesSamples newest;
  {
    const ReaderLock lock(shard.shard->mu);
    shard.view.active->Read(series.active_slot, range, series.active_ordered, &newest);
  }
  AddSource(newest, out);
  return Status::Ok();
}

Result<MetricSelection> MetricStoreImpl::Select(TenantId tenant, const std::vector<Matcher>& matchers,
                                                MetricRange range) const {
  MetricSelection selection;
  const bool unbounded = range.min_ms == INT64_MIN && range.max_ms == INT64_MAX;
  const DayRange asked_days = DaysOf(range);
  range.min_ms = std::max(range.min_ms, RetentionBeginMs(tenant));
  selection.range = range;
  if (range.min_ms > range.max_ms) return selection;
  for (const auto& shard : shards_) selection.shards.push_back({.shard = shard.get(), .view = MetricShardView::Of(*shard)});
  const std::vector<SeriesOrdinal> ordinals =
      series_.Select(tenant, matchers, unbounded ? asked_days : DaysOf(range));
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
    if (!by_shard[i].empty()) PickHeads(selection.shards[i], by_shard[i], &selection, &wanted);
  }
  size_t kept = 0;
  for (size_t i = 0; i < selection.series.size(); ++i) {
    if (wanted[i]) selection.series[kept++] = selection.series[i];
  }
  selection.series.resize(kept);
  return selection;
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
        if (slot == MetricHead::kNone || !Overlaps(head->SpanOf(slot), selection->range)) return MetricHead::kNone;
        (*wanted)[numbers[i]] = true;
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

Result<std::unique_ptr<const MetricSnapshot>> MetricStoreImpl::Snapshot(TenantId tenant,
                                                                        const std::vector<Matcher>& matchers,
                                                                        MetricRange range) const {
  VARVE_ASSIGN_OR_RETURN(MetricSelection selection, Select(tenant, matchers, range));
  std::vector<PackedLabels> labels;
  labels.reserve(selection.series.size());
  for (const MetricSelection::Series& series : selection.series) labels.push_back(series_.LabelsOf(series.ordinal));
  return std::unique_ptr<const MetricSnapshot>(
      std::make_unique<MetricSnapshotImpl>(std::move(selection), std::move(labels)));
}

Status MetricStoreImpl::ReadElsewhere(MetricShard* shard, SeriesOrdinal series, TenantId /*tenant*/, MetricRange range,
                                      SeriesSamples* out) const {
  out->Clear();
  const MetricShardView view = MetricShardView::Of(*shard);
  if (view.sealed == nullptr) return Status::Ok();
  const uint32_t slot = view.sealed->Find(series);
  if (slot != MetricHead::kNone) view.sealed->Read(slot, range, UINT32_MAX, out);
  return Status::Ok();
}

}  // namespace varve
