// The newest samples of one metric shard, in memory, until a cut writes them into packs.
//
// Per series: its in-order floats as a ValueStream over shared timelines (timeline.h), about 100 bytes and one or two
// a sample; whatever is rare (samples out of order, native histograms, start timestamps) in lists beside. A series
// that has come out of order once keeps its newest samples back for a while: senders with several connections deliver
// a scrape before the one before it, and such samples still find their place.
// Samples are only ever added; no time twice in a series, which the caller sees to.
// Ownership: `budget` must outlive the head; it is charged by force (a journalled sample must find room).
// Threads: thread-compatible; immutable once sealed.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/base/memory_budget.h"
#include "engine/head/timeline.h"
#include "engine/head/value_stream.h"
#include "engine/metric_batch.h"
#include "engine/metric_scan.h"

namespace varve {

class MetricHead {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr int64_t kNever = INT64_MIN;

  // What is stored at one time.
  struct Stored {
    double value = 0;
    HistogramPtr histogram;  // null: a float
  };

  explicit MetricHead(MemoryBudget* budget) : budget_(budget) {}
  ~MetricHead() { budget_->Release(charged_bytes_); }
  MetricHead(const MetricHead&) = delete;
  MetricHead& operator=(const MetricHead&) = delete;

  // The series' slot; slots are numbered from 0 in order of appearance.
  uint32_t Find(SeriesOrdinal series) const {
    const size_t page = series / kPageSeries;
    if (page >= pages_.size() || pages_[page] == nullptr) return kNone;
    return pages_[page][series % kPageSeries];
  }
  // The same, adding it. `newest_ms`: no sample of it elsewhere is later; kNever when there is none.
  uint32_t Open(SeriesOrdinal series, uint32_t target, int64_t newest_ms);

  // The latest time of a sample of the series, here or, as told by Open, elsewhere.
  int64_t newest_ms(uint32_t slot) const { return Of(slot).newest_ms; }
  void RaiseNewest(uint32_t slot, int64_t ts_ms) { Of(slot).newest_ms = std::max(Of(slot).newest_ms, ts_ms); }
  // Whether its newest sample here is this one.
  bool IsNewest(uint32_t slot, int64_t ts_ms, uint64_t bits) const {
    const Series& series = Of(slot);
    if (series.side != nullptr && series.side->waiting_count != 0) {
      const LateFloat& newest = series.side->waiting[series.side->waiting_count - 1];
      return newest.ts_ms == ts_ms && std::bit_cast<uint64_t>(newest.value) == bits;
    }
    return series.values.count() != 0 && series.last_ms == ts_ms && series.values.last_bits() == bits;
  }
  // Brings the series into the cache, ahead of what is asked or done of it.
  void Prefetch(uint32_t slot) const {
    const Series* const series = &Of(slot);
    __builtin_prefetch(series);
    __builtin_prefetch(reinterpret_cast<const char*>(series) + 64);
  }
  std::optional<Stored> Lookup(uint32_t slot, int64_t ts_ms) const;

  void AddFloat(uint32_t slot, int64_t ts_ms, double value, int64_t start_ms);
  void AddHistogram(uint32_t slot, int64_t ts_ms, HistogramPtr histogram, int64_t start_ms);
  // To be called after a few Adds: charges the budget for what they took.
  void SettleBudget();

  SeriesOrdinal SeriesOf(uint32_t slot) const { return Of(slot).ordinal; }
  size_t series_count() const { return series_count_; }
  // In-order floats of the series: a reader that remembers it does not see those that came later.
  // No bound for a series that keeps samples back: those may come to stand among the in-order ones later.
  uint32_t OrderedCount(uint32_t slot) const {
    const Series& series = Of(slot);
    return series.side != nullptr && series.side->waiting_max != 0 ? UINT32_MAX : series.values.count();
  }
  // The times of the series' first and last sample here; an empty range when there is none.
  MetricRange SpanOf(uint32_t slot) const;
  // Appends the samples in `range`, ascending, of the in-order floats only the first `ordered_max`.
  void Read(uint32_t slot, MetricRange range, uint32_t ordered_max, SeriesSamples* out) const;

  bool empty() const { return sample_count_ == 0; }
  uint64_t sample_count() const { return sample_count_; }
  int64_t memory_bytes() const;
  // Of all samples; an empty range when there are none.
  MetricRange span() const { return {min_ms_, max_ms_}; }
  // When the first sample came, for the cut by age. The caller sets it.
  int64_t first_append_ns = 0;

 private:
  static constexpr size_t kPageSeries = 256;
  // How many samples a series may keep back.
  static constexpr uint32_t kWaitingMin = 2;
  static constexpr uint32_t kWaitingMax = 8;

  struct StartRun {
    uint32_t from = 0;  // in-order float
    int64_t start_ms = kNoStartMs;
  };
  struct LateFloat {
    int64_t ts_ms = 0;
    double value = 0;
    int64_t start_ms = kNoStartMs;
  };
  struct HeadHistogram {
    int64_t ts_ms = 0;
    HistogramPtr histogram;
    int64_t start_ms = kNoStartMs;
  };
  struct Side {
    std::vector<Timelines::Run> runs;  // those before Series::run
    std::vector<StartRun> starts;
    std::vector<LateFloat> floats;          // ascending
    std::vector<HeadHistogram> histograms;  // ascending
    // The newest floats, ascending, later than all in order; they join those when newer ones come. At most
    // waiting_max, which doubles whenever that was too few; 0: it keeps none back.
    std::array<LateFloat, kWaitingMax> waiting;
    uint32_t waiting_count = 0;
    uint32_t waiting_max = 0;
    int64_t Bytes() const;
  };
  struct Series {
    SeriesOrdinal ordinal = 0;
    uint32_t target = 0;
    Timelines::Run run;  // of the newest in-order floats
    int64_t last_ms = kNever;
    int64_t newest_ms = kNever;
    ValueStream values;
    std::unique_ptr<Side> side;
  };

  Series& Of(uint32_t slot) { return series_[slot / kPageSeries][slot % kPageSeries]; }
  const Series& Of(uint32_t slot) const { return series_[slot / kPageSeries][slot % kPageSeries]; }
  Side* SideOf(Series* series);
  // Of a float later than all in order.
  void AddOrdered(Series* series, int64_t ts_ms, double value, int64_t start_ms);
  void AddKeepingBack(Series* series, int64_t ts_ms, double value, int64_t start_ms);
  void NoteSample(Series* series, int64_t ts_ms);
  // The number of the in-order float at that time.
  std::optional<uint32_t> FindOrdered(const Series& series, int64_t ts_ms) const;
  void ReadOrdered(const Series& series, MetricRange range, uint32_t ordered_max, SeriesSamples* out) const;
  void MergeLate(const Series& series, MetricRange range, size_t from, SeriesSamples* out) const;

  MemoryBudget* const budget_;
  int64_t charged_bytes_ = 0;
  int64_t heap_bytes_ = 0;  // of streams, sides and pages
  uint64_t sample_count_ = 0;
  int64_t min_ms_ = INT64_MAX;
  int64_t max_ms_ = INT64_MIN;
  Timelines timelines_;
  std::vector<std::unique_ptr<Series[]>> series_;  // pages of kPageSeries, by slot
  size_t series_count_ = 0;
  std::vector<std::unique_ptr<uint32_t[]>> pages_;  // slots by ordinal
};

}  // namespace varve
