#include "engine/head/metric_head.h"

#include <algorithm>
#include <span>

#include "engine/base/check.h"

namespace varve {
namespace {

// A series with this many runs that are this short on average is in step with nobody.
constexpr size_t kRunsMax = 8;
constexpr uint32_t kRunSamplesMin = 4;

template <typename T>
auto LowerBoundTime(const std::vector<T>& items, int64_t ts_ms) {
  return std::lower_bound(items.begin(), items.end(), ts_ms,
                          [](const T& item, int64_t ms) { return item.ts_ms < ms; });
}

// A column of start timestamps is empty as long as none is set.
void PushStart(std::vector<int64_t>* starts, size_t before, int64_t start_ms) {
  if (starts->empty() && start_ms == kNoStartMs) return;
  starts->resize(before, kNoStartMs);
  starts->push_back(start_ms);
}

}  // namespace

int64_t MetricHead::Side::Bytes() const {
  constexpr size_t kMallocBytes = 16;
  size_t bytes = sizeof(Side) + 5 * kMallocBytes + runs.capacity() * sizeof(Timelines::Run) +
                 starts.capacity() * sizeof(StartRun) +
                 floats.capacity() * sizeof(LateFloat) +
                 histograms.capacity() * sizeof(HeadHistogram);
  return static_cast<int64_t>(bytes);
}

uint32_t MetricHead::Open(SeriesOrdinal series, uint32_t target, int64_t newest_ms) {
  const size_t page = series / kPageSeries;
  if (page >= pages_.size()) pages_.resize(page + 1);
  if (pages_[page] == nullptr) {
    pages_[page] = std::make_unique<uint32_t[]>(kPageSeries);
    std::fill_n(pages_[page].get(), kPageSeries, kNone);
    heap_bytes_ += kPageSeries * sizeof(uint32_t);
  }
  uint32_t& slot = pages_[page][series % kPageSeries];
  if (slot != kNone) return slot;
  slot = static_cast<uint32_t>(series_count_);
  if (series_count_ % kPageSeries == 0) series_.push_back(std::make_unique<Series[]>(kPageSeries));
  ++series_count_;
  Series& added = Of(slot);
  added.ordinal = series;
  added.target = target;
  added.newest_ms = newest_ms;
  return slot;
}

MetricHead::Side* MetricHead::SideOf(Series* series) {
  if (series->side == nullptr) {
    series->side = std::make_unique<Side>();
    heap_bytes_ += series->side->Bytes();
  }
  return series->side.get();
}

void MetricHead::NoteSample(Series* series, int64_t ts_ms) {
  ++sample_count_;
  min_ms_ = std::min(min_ms_, ts_ms);
  max_ms_ = std::max(max_ms_, ts_ms);
  series->newest_ms = std::max(series->newest_ms, ts_ms);
}

void MetricHead::AddFloat(uint32_t slot, int64_t ts_ms, double value, int64_t start_ms) {
  Series& series = Of(slot);
  NoteSample(&series, ts_ms);
  const bool late = series.values.count() != 0 && ts_ms <= series.last_ms;
  if (late || (series.side != nullptr && series.side->waiting_max != 0)) {
    AddKeepingBack(&series, ts_ms, value, start_ms);
  } else {
    AddOrdered(&series, ts_ms, value, start_ms);
  }
}

void MetricHead::AddKeepingBack(Series* series, int64_t ts_ms, double value, int64_t start_ms) {
  Side* const side = SideOf(series);
  if (series->values.count() != 0 && ts_ms <= series->last_ms) {
    heap_bytes_ -= side->Bytes();
    side->waiting_max = std::clamp(side->waiting_max * 2, kWaitingMin, kWaitingMax);
    side->floats.insert(LowerBoundTime(side->floats, ts_ms), {.ts_ms = ts_ms, .value = value, .start_ms = start_ms});
    heap_bytes_ += side->Bytes();
    return;
  }
  LateFloat* const waiting = side->waiting.data();
  uint32_t at = side->waiting_count;  // where it belongs among those that wait
  while (at != 0 && waiting[at - 1].ts_ms > ts_ms) --at;
  if (side->waiting_count < side->waiting_max) {
    for (uint32_t i = side->waiting_count++; i != at; --i) waiting[i] = waiting[i - 1];
    waiting[at] = {.ts_ms = ts_ms, .value = value, .start_ms = start_ms};
    return;
  }
  // The earliest of those that wait and the new one joins those in order.
  if (at == 0) return AddOrdered(series, ts_ms, value, start_ms);
  AddOrdered(series, waiting[0].ts_ms, waiting[0].value, waiting[0].start_ms);
  for (uint32_t i = 1; i < at; ++i) waiting[i - 1] = waiting[i];
  waiting[at - 1] = {.ts_ms = ts_ms, .value = value, .start_ms = start_ms};
}

void MetricHead::AddOrdered(Series* series, int64_t ts_ms, double value, int64_t start_ms) {
  const uint32_t count = series->values.count();
  if (count == 0 || !timelines_.Extend(&series->run, ts_ms)) {
    bool shared = true;
    const uint32_t before = series->run.timeline;
    if (count != 0) {
      Side* const side = SideOf(series);
      heap_bytes_ -= side->Bytes();
      side->runs.push_back(series->run);
      heap_bytes_ += side->Bytes();
      shared = side->runs.size() < kRunsMax || count / side->runs.size() >= kRunSamplesMin;
    }
    series->run = timelines_.Start(series->target, before, ts_ms, shared);
  }
  series->last_ms = ts_ms;
  heap_bytes_ -= series->values.heap_bytes();
  series->values.Append(value);
  heap_bytes_ += series->values.heap_bytes();
  const bool has_starts = series->side != nullptr && !series->side->starts.empty();
  if (start_ms == kNoStartMs && !has_starts) return;
  Side* const side = SideOf(series);
  if (!side->starts.empty() && side->starts.back().start_ms == start_ms) return;
  heap_bytes_ -= side->Bytes();
  side->starts.push_back({.from = count, .start_ms = start_ms});
  heap_bytes_ += side->Bytes();
}

void MetricHead::AddHistogram(uint32_t slot, int64_t ts_ms, HistogramPtr histogram, int64_t start_ms) {
  Series& series = Of(slot);
  NoteSample(&series, ts_ms);
  Side* const side = SideOf(&series);
  heap_bytes_ += histogram->MemoryBytes() - side->Bytes();
  side->histograms.insert(LowerBoundTime(side->histograms, ts_ms),
                          {.ts_ms = ts_ms, .histogram = std::move(histogram), .start_ms = start_ms});
  heap_bytes_ += side->Bytes();
}

int64_t MetricHead::memory_bytes() const {
  return heap_bytes_ + timelines_.memory_bytes() + static_cast<int64_t>(series_.size() * kPageSeries * sizeof(Series)) +
         static_cast<int64_t>(pages_.capacity() * sizeof(pages_[0]));
}

void MetricHead::SettleBudget() {
  const int64_t now = memory_bytes();
  if (now > charged_bytes_) budget_->ForceReserve(now - charged_bytes_);
  if (now < charged_bytes_) budget_->Release(charged_bytes_ - now);
  charged_bytes_ = now;
}

std::optional<uint32_t> MetricHead::FindOrdered(const Series& series, int64_t ts_ms) const {
  if (series.values.count() == 0 || ts_ms > series.last_ms) return std::nullopt;
  uint32_t before = 0;
  if (series.side != nullptr) {
    for (const Timelines::Run& run : series.side->runs) {
      if (timelines_.At(run, run.count - 1) >= ts_ms) {
        const std::optional<uint32_t> at = timelines_.Find(run, ts_ms);
        if (!at.has_value()) return std::nullopt;
        return before + *at;
      }
      before += run.count;
    }
  }
  const std::optional<uint32_t> at = timelines_.Find(series.run, ts_ms);
  if (!at.has_value()) return std::nullopt;
  return before + *at;
}

std::optional<MetricHead::Stored> MetricHead::Lookup(uint32_t slot, int64_t ts_ms) const {
  const Series& series = Of(slot);
  if (const Side* const side = series.side.get()) {
    for (const LateFloat& sample : std::span(side->waiting.data(), side->waiting_count)) {
      if (sample.ts_ms == ts_ms) return Stored{.value = sample.value, .histogram = nullptr};
    }
    const auto late = LowerBoundTime(side->floats, ts_ms);
    if (late != side->floats.end() && late->ts_ms == ts_ms) return Stored{.value = late->value, .histogram = nullptr};
    const auto histogram = LowerBoundTime(side->histograms, ts_ms);
    if (histogram != side->histograms.end() && histogram->ts_ms == ts_ms) {
      return Stored{.value = 0, .histogram = histogram->histogram};
    }
  }
  const std::optional<uint32_t> at = FindOrdered(series, ts_ms);
  if (!at.has_value()) return std::nullopt;
  std::vector<double> value;
  series.values.Read(*at, *at + 1, &value);
  return Stored{.value = value[0], .histogram = nullptr};
}

MetricRange MetricHead::SpanOf(uint32_t slot) const {
  const Series& series = Of(slot);
  MetricRange span{.min_ms = INT64_MAX, .max_ms = INT64_MIN};
  const auto add = [&](int64_t first_ms, int64_t last_ms) {
    span.min_ms = std::min(span.min_ms, first_ms);
    span.max_ms = std::max(span.max_ms, last_ms);
  };
  const Side* const side = series.side.get();
  if (series.values.count() != 0) {
    add(timelines_.At(side != nullptr && !side->runs.empty() ? side->runs.front() : series.run, 0), series.last_ms);
  }
  if (side != nullptr && side->waiting_count != 0) {
    add(side->waiting[0].ts_ms, side->waiting[side->waiting_count - 1].ts_ms);
  }
  if (side != nullptr && !side->floats.empty()) add(side->floats.front().ts_ms, side->floats.back().ts_ms);
  if (side != nullptr && !side->histograms.empty()) {
    add(side->histograms.front().ts_ms, side->histograms.back().ts_ms);
  }
  return span;
}

void MetricHead::ReadOrdered(const Series& series, MetricRange range, uint32_t ordered_max, SeriesSamples* out) const {
  const Side* const side = series.side.get();
  const uint32_t count = std::min(ordered_max, series.values.count());
  const size_t filled = out->float_ts_ms.size();
  uint32_t first = 0;  // of what is in range
  uint32_t before = 0;
  const auto take = [&](const Timelines::Run& run) {
    if (before >= count) return;
    const uint32_t run_count = std::min(run.count, count - before);
    const uint32_t begin = std::min(run_count, timelines_.LowerBound(run, range.min_ms));
    if (out->float_ts_ms.size() == filled) first = before + begin;
    for (uint32_t i = begin; i < run_count; ++i) {
      const int64_t ts_ms = timelines_.At(run, i);
      if (ts_ms > range.max_ms) break;
      out->float_ts_ms.push_back(ts_ms);
    }
    before += run.count;
  };
  if (side != nullptr) {
    for (const Timelines::Run& run : side->runs) take(run);
  }
  take(series.run);
  const auto taken = static_cast<uint32_t>(out->float_ts_ms.size() - filled);
  if (taken == 0) return;
  series.values.Read(first, first + taken, &out->floats);
  if (side == nullptr || side->starts.empty()) {
    if (!out->float_starts_ms.empty()) out->float_starts_ms.resize(out->floats.size(), kNoStartMs);
    return;
  }
  auto next = side->starts.begin();
  int64_t start_ms = kNoStartMs;
  for (uint32_t i = first; i < first + taken; ++i) {
    for (; next != side->starts.end() && next->from <= i; ++next) start_ms = next->start_ms;
    PushStart(&out->float_starts_ms, filled + (i - first), start_ms);
  }
}

// Puts the late floats between those in order, which stand from `from` on.
void MetricHead::MergeLate(const Series& series, MetricRange range, size_t from, SeriesSamples* out) const {
  const std::vector<LateFloat>& late = series.side->floats;
  const auto begin = LowerBoundTime(late, range.min_ms);
  auto end = begin;
  while (end != late.end() && end->ts_ms <= range.max_ms) ++end;
  if (begin == end) return;
  SeriesSamples ordered;
  ordered.float_ts_ms.assign(out->float_ts_ms.begin() + static_cast<std::ptrdiff_t>(from), out->float_ts_ms.end());
  ordered.floats.assign(out->floats.begin() + static_cast<std::ptrdiff_t>(from), out->floats.end());
  if (!out->float_starts_ms.empty()) {
    ordered.float_starts_ms.assign(out->float_starts_ms.begin() + static_cast<std::ptrdiff_t>(from),
                                   out->float_starts_ms.end());
    out->float_starts_ms.resize(from);
  }
  out->float_ts_ms.resize(from);
  out->floats.resize(from);
  const auto push = [&](int64_t ts_ms, double value, int64_t start_ms) {
    PushStart(&out->float_starts_ms, out->floats.size(), start_ms);
    out->float_ts_ms.push_back(ts_ms);
    out->floats.push_back(value);
  };
  size_t i = 0;
  for (auto it = begin; it != end || i < ordered.floats.size();) {
    if (it == end || (i < ordered.floats.size() && ordered.float_ts_ms[i] < it->ts_ms)) {
      push(ordered.float_ts_ms[i], ordered.floats[i],
           ordered.float_starts_ms.empty() ? kNoStartMs : ordered.float_starts_ms[i]);
      ++i;
    } else {
      push(it->ts_ms, it->value, it->start_ms);
      ++it;
    }
  }
}

void MetricHead::Read(uint32_t slot, MetricRange range, uint32_t ordered_max, SeriesSamples* out) const {
  const Series& series = Of(slot);
  const size_t from = out->floats.size();
  ReadOrdered(series, range, ordered_max, out);
  const Side* const side = series.side.get();
  if (side == nullptr) return;
  MergeLate(series, range, from, out);
  for (const LateFloat& sample : std::span(side->waiting.data(), side->waiting_count)) {
    if (!range.Contains(sample.ts_ms)) continue;
    PushStart(&out->float_starts_ms, out->floats.size(), sample.start_ms);
    out->float_ts_ms.push_back(sample.ts_ms);
    out->floats.push_back(sample.value);
  }
  for (auto it = LowerBoundTime(side->histograms, range.min_ms);
       it != side->histograms.end() && it->ts_ms <= range.max_ms; ++it) {
    PushStart(&out->histogram_starts_ms, out->histograms.size(), it->start_ms);
    out->histograms.push_back({.ts_ms = it->ts_ms, .histogram = it->histogram});
  }
  if (!out->histogram_starts_ms.empty()) out->histogram_starts_ms.resize(out->histograms.size(), kNoStartMs);
}

}  // namespace varve
