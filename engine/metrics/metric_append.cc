// Life of a write of samples: room, judgement, journal, heads. And replay, which does the last step alone.
//
// Judging: a sample later than everything its series has is new, and that is nearly all there is to do. Any other is
// looked for among those of its own batch, in the heads, and last in the packs.
#include <algorithm>
#include <bit>

#include "engine/base/failpoint.h"
#include "engine/codec/metric_timelines.h"
#include "engine/engine_impl.h"
#include "engine/metrics/metric_store_impl.h"

namespace varve {
namespace {

constexpr uint64_t kSampleBytes = 16;
constexpr uint32_t kNoPart = UINT32_MAX;
// The series of a batch lie all over the head; so many parts ahead they are asked for.
constexpr size_t kPrefetchParts = 8;

bool SameSample(const MetricHead::Stored& stored, double value, const NativeHistogram* histogram) {
  if ((stored.histogram == nullptr) != (histogram == nullptr)) return false;
  if (histogram != nullptr) return BitEqual(*stored.histogram, *histogram);
  return std::bit_cast<uint64_t>(stored.value) == std::bit_cast<uint64_t>(value);
}

int64_t EstimateBytes(const MetricBatch& batch) {
  int64_t bytes = static_cast<int64_t>(batch.parts.size() * 96 + batch.floats.size() * 4);
  for (const MetricBatch::Histogram& item : batch.histograms) bytes += item.histogram->MemoryBytes() + 64;
  return bytes;
}

}  // namespace

// One batch on its way.
class MetricAppend {
 public:
  MetricAppend(MetricStoreImpl* store, TenantId tenant, const MetricBatch& batch)
      : store_(store), batch_(batch), tenant_(tenant), slots_(batch.parts.size(), MetricHead::kNone) {
    parts_.resize(store->shards_.size());
    for (uint32_t i = 0; i < batch.parts.size(); ++i) parts_[ShardIndex(batch.parts[i].series)].push_back(i);
  }

  // Locks the shards concerned; the destructor lets go of them.
  void Lock() VARVE_NO_THREAD_SAFETY_ANALYSIS {
    for (size_t i = 0; i < parts_.size(); ++i) {
      if (!parts_[i].empty()) store_->shards_[i]->append_mu.Lock();
    }
    locked_ = true;
  }
  void Unlock() VARVE_NO_THREAD_SAFETY_ANALYSIS {
    if (!locked_) return;
    for (size_t i = 0; i < parts_.size(); ++i) {
      if (!parts_[i].empty()) store_->shards_[i]->append_mu.Unlock();
    }
    locked_ = false;
  }
  ~MetricAppend() { Unlock(); }

  Status Judge(MetricVerdicts* verdicts) VARVE_NO_THREAD_SAFETY_ANALYSIS;
  // Puts what is kStored into the heads.
  void Apply(const MetricVerdicts& verdicts);
  // Puts all samples that are not there yet into the heads of these shards.
  void ApplyReplayed(const std::vector<bool>& shards_wanted);
  uint64_t new_samples() const { return new_samples_; }

 private:
  // Of the samples that a part may collide with, those outside the active head.
  // Samples of a part's series in the part's span, read once.
  struct PartSamples {
    bool loaded = false;
    SeriesSamples samples;
    std::optional<MetricHead::Stored> Find(int64_t ts_ms) const;
  };
  // What a late sample may meet: in the active head, of parts with many samples only, and everywhere else.
  struct Known {
    PartSamples head;
    PartSamples elsewhere;
  };
  // From how many samples on a part's span of the head is read once instead of looked up for each: a lookup decodes all
  // that stands before.
  static constexpr uint32_t kReadHeadFrom = 16;

  size_t ShardIndex(SeriesOrdinal series) const {
    return store_->series_.Get(series).target % store_->shards_.size();
  }
  void OpenSlots(MetricShard* shard, const std::vector<uint32_t>& parts) VARVE_NO_THREAD_SAFETY_ANALYSIS;
  int64_t NewestElsewhere(MetricShard* shard, SeriesOrdinal series) VARVE_NO_THREAD_SAFETY_ANALYSIS;
  Status JudgePart(MetricShard* shard, uint32_t part);
  // Of a sample that is not later than all others of its series.
  Result<SampleVerdict> JudgeLate(MetricShard* shard, uint32_t part, int64_t ts_ms, double value,
                                  const NativeHistogram* histogram, Known* known)
      VARVE_NO_THREAD_SAFETY_ANALYSIS;
  // Of its samples that may be stored.
  MetricRange SpanOf(const MetricBatch::Part& part) const;
  std::optional<MetricHead::Stored> FindInHead(const MetricHead& head, uint32_t part, int64_t ts_ms,
                                               PartSamples* read) const;
  // The sample of this batch at that time that was judged before, of the series of `part`.
  std::optional<MetricHead::Stored> FindInBatch(uint32_t part, int64_t ts_ms);
  std::optional<MetricHead::Stored> FindInPart(uint32_t part, int64_t ts_ms) const;
  void ChainParts();
  void ApplyPart(MetricHead* head, uint32_t part, const MetricVerdicts& verdicts);
  void NoteApplied(MetricHead* head, bool was_empty) const;
  void MarkDays(uint32_t part, const MetricVerdicts& verdicts) const;
  int64_t FloatStart(size_t i) const { return batch_.float_starts_ms.empty() ? kNoStartMs : batch_.float_starts_ms[i]; }
  int64_t HistogramStart(size_t i) const {
    return batch_.histogram_starts_ms.empty() ? kNoStartMs : batch_.histogram_starts_ms[i];
  }

  MetricStoreImpl* const store_;
  const MetricBatch& batch_;
  const TenantId tenant_;
  int64_t begin_ms_ = INT64_MIN;
  bool locked_ = false;
  std::vector<std::vector<uint32_t>> parts_;  // by shard
  std::vector<uint32_t> slots_;               // by part
  std::vector<SampleVerdict> floats_;         // of what has been judged; kStored where it has not
  std::vector<SampleVerdict> histograms_;
  // How much of each part has been judged.
  uint32_t judging_ = 0;
  size_t judged_floats_ = 0;  // of the part being judged
  size_t judged_histograms_ = 0;
  // Of each part, the one of the same series before it; worked out once a late sample asks.
  std::vector<uint32_t> part_before_;
  uint64_t new_samples_ = 0;
};

int64_t MetricAppend::NewestElsewhere(MetricShard* shard, SeriesOrdinal series) {
  if (const MetricHead* const sealed = shard->sealed_for_append()) {
    const uint32_t slot = sealed->Find(series);
    if (slot != MetricHead::kNone) return sealed->newest_ms(slot);
  }
  return store_->newest_.Get(series).value_or(shard->packs_max_ms);
}

void MetricAppend::OpenSlots(MetricShard* shard, const std::vector<uint32_t>& parts) {
  MetricHead* const head = shard->active_for_append();
  bool all_there = true;
  for (const uint32_t part : parts) {
    slots_[part] = head->Find(batch_.parts[part].series);
    all_there = all_there && slots_[part] != MetricHead::kNone;
  }
  if (all_there) return;
  const WriterLock lock(shard->mu);
  for (const uint32_t part : parts) {
    if (slots_[part] != MetricHead::kNone) continue;
    const SeriesOrdinal series = batch_.parts[part].series;
    slots_[part] = head->Open(series, store_->series_.Get(series).target, NewestElsewhere(shard, series));
  }
}

Status MetricAppend::Judge(MetricVerdicts* verdicts) {
  begin_ms_ = std::max(store_->RetentionBeginMs(tenant_), kStorableMinMs);
  floats_.assign(batch_.floats.size(), SampleVerdict::kStored);
  histograms_.assign(batch_.histograms.size(), SampleVerdict::kStored);
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].empty()) continue;
    MetricShard* const shard = store_->shards_[i].get();
    OpenSlots(shard, parts_[i]);
    const MetricHead& head = *shard->active_for_append();
    for (size_t k = 0; k < parts_[i].size(); ++k) {
      if (k + kPrefetchParts < parts_[i].size()) head.Prefetch(slots_[parts_[i][k + kPrefetchParts]]);
      VARVE_RETURN_IF_ERROR(JudgePart(shard, parts_[i][k]));
    }
  }
  const auto count = [](const std::vector<SampleVerdict>& all, uint64_t* stored) {
    uint64_t fresh = 0;
    for (const SampleVerdict verdict : all) {
      fresh += verdict == SampleVerdict::kStored ? 1 : 0;
      *stored += verdict == SampleVerdict::kStored || verdict == SampleVerdict::kAlreadyThere ? 1 : 0;
    }
    return fresh;
  };
  const uint64_t fresh_floats = count(floats_, &verdicts->stored_floats);
  const uint64_t fresh_histograms = count(histograms_, &verdicts->stored_histograms);
  new_samples_ = fresh_floats + fresh_histograms;
  if (new_samples_ == floats_.size() + histograms_.size()) return Status::Ok();
  verdicts->floats = floats_;
  verdicts->histograms = histograms_;
  return Status::Ok();
}

Status MetricAppend::JudgePart(MetricShard* shard, uint32_t number) VARVE_NO_THREAD_SAFETY_ANALYSIS {
  const MetricBatch::Part& part = batch_.parts[number];
  MetricHead* const head = shard->active_for_append();
  const uint32_t slot = slots_[number];
  judging_ = number;
  int64_t newest_ms = head->newest_ms(slot);
  Known known;
  const auto judge = [&](int64_t ts_ms, double value, const NativeHistogram* histogram,
                         SampleVerdict* verdict) -> Status {
    if (ts_ms < begin_ms_ || ts_ms > kStorableMaxMs) {
      *verdict = SampleVerdict::kTooOld;
      return Status::Ok();
    }
    if (ts_ms > newest_ms || newest_ms == MetricHead::kNever) {
      newest_ms = ts_ms;
      head->RaiseNewest(slot, ts_ms);  // for other parts of this batch
      return Status::Ok();
    }
    VARVE_ASSIGN_OR_RETURN(*verdict, JudgeLate(shard, number, ts_ms, value, histogram, &known));
    if (*verdict == SampleVerdict::kStored) store_->counters_.out_of_order.fetch_add(1, std::memory_order_relaxed);
    return Status::Ok();
  };
  judged_histograms_ = part.histogram_begin;
  for (judged_floats_ = part.float_begin; judged_floats_ < size_t{part.float_begin} + part.float_count;
       ++judged_floats_) {
    const Sample& sample = batch_.floats[judged_floats_];
    VARVE_RETURN_IF_ERROR(judge(sample.ts_ms, sample.value, nullptr, &floats_[judged_floats_]));
  }
  for (; judged_histograms_ < size_t{part.histogram_begin} + part.histogram_count; ++judged_histograms_) {
    const MetricBatch::Histogram& item = batch_.histograms[judged_histograms_];
    VARVE_RETURN_IF_ERROR(judge(item.ts_ms, 0, item.histogram.get(), &histograms_[judged_histograms_]));
  }
  return Status::Ok();
}

std::optional<MetricHead::Stored> MetricAppend::FindInPart(uint32_t number, int64_t ts_ms) const {
  const MetricBatch::Part& part = batch_.parts[number];
  const bool whole = number != judging_;
  const size_t floats_end = whole ? size_t{part.float_begin} + part.float_count : judged_floats_;
  for (size_t i = part.float_begin; i < floats_end; ++i) {
    if (batch_.floats[i].ts_ms == ts_ms && floats_[i] == SampleVerdict::kStored) {
      return MetricHead::Stored{.value = batch_.floats[i].value, .histogram = nullptr};
    }
  }
  const size_t histograms_end = whole ? size_t{part.histogram_begin} + part.histogram_count : judged_histograms_;
  for (size_t i = part.histogram_begin; i < histograms_end; ++i) {
    if (batch_.histograms[i].ts_ms == ts_ms && histograms_[i] == SampleVerdict::kStored) {
      return MetricHead::Stored{.value = 0, .histogram = batch_.histograms[i].histogram};
    }
  }
  return std::nullopt;
}

std::optional<MetricHead::Stored> MetricAppend::FindInBatch(uint32_t number, int64_t ts_ms) {
  if (part_before_.empty()) ChainParts();
  for (uint32_t part = number; part != kNoPart; part = part_before_[part]) {
    if (std::optional<MetricHead::Stored> found = FindInPart(part, ts_ms)) return found;
  }
  return std::nullopt;
}

void MetricAppend::ChainParts() {
  const size_t mask = std::bit_ceil(batch_.parts.size() * 2) - 1;
  std::vector<uint32_t> last(mask + 1, kNoPart);  // by series: its last part so far; open addressing
  part_before_.resize(batch_.parts.size(), kNoPart);
  for (uint32_t i = 0; i < batch_.parts.size(); ++i) {
    const SeriesOrdinal series = batch_.parts[i].series;
    size_t at = series * size_t{0x9E3779B1} & mask;
    while (last[at] != kNoPart && batch_.parts[last[at]].series != series) at = (at + 1) & mask;
    part_before_[i] = last[at];
    last[at] = i;
  }
}

std::optional<MetricHead::Stored> MetricAppend::PartSamples::Find(int64_t ts_ms) const {
  const auto at = std::lower_bound(samples.float_ts_ms.begin(), samples.float_ts_ms.end(), ts_ms);
  if (at != samples.float_ts_ms.end() && *at == ts_ms) {
    return MetricHead::Stored{.value = samples.floats[static_cast<size_t>(at - samples.float_ts_ms.begin())],
                              .histogram = nullptr};
  }
  const auto item = std::lower_bound(samples.histograms.begin(), samples.histograms.end(), ts_ms,
                                     [](const HistogramSample& sample, int64_t ms) { return sample.ts_ms < ms; });
  if (item != samples.histograms.end() && item->ts_ms == ts_ms) {
    return MetricHead::Stored{.value = 0, .histogram = item->histogram};
  }
  return std::nullopt;
}

MetricRange MetricAppend::SpanOf(const MetricBatch::Part& part) const {
  MetricRange range{.min_ms = INT64_MAX, .max_ms = INT64_MIN};
  const auto widen = [&range](int64_t ms) {
    range = {.min_ms = std::min(range.min_ms, ms), .max_ms = std::max(range.max_ms, ms)};
  };
  for (uint32_t i = 0; i < part.float_count; ++i) widen(batch_.floats[part.float_begin + i].ts_ms);
  for (uint32_t i = 0; i < part.histogram_count; ++i) widen(batch_.histograms[part.histogram_begin + i].ts_ms);
  range.min_ms = std::max(range.min_ms, begin_ms_);
  return range;
}

// Nothing of this batch is in the head yet.
std::optional<MetricHead::Stored> MetricAppend::FindInHead(const MetricHead& head, uint32_t number, int64_t ts_ms,
                                                           PartSamples* read) const {
  const MetricBatch::Part& part = batch_.parts[number];
  if (part.float_count + part.histogram_count < kReadHeadFrom) return head.Lookup(slots_[number], ts_ms);
  if (!read->loaded) {
    head.Read(slots_[number], SpanOf(part), UINT32_MAX, &read->samples);
    read->loaded = true;
  }
  return read->Find(ts_ms);
}

Result<SampleVerdict> MetricAppend::JudgeLate(MetricShard* shard, uint32_t number, int64_t ts_ms, double value,
                                              const NativeHistogram* histogram, Known* known) {
  const MetricBatch::Part& part = batch_.parts[number];
  const MetricHead& head = *shard->active_for_append();
  // A batch that is sent again.
  if (histogram == nullptr && head.IsNewest(slots_[number], ts_ms, std::bit_cast<uint64_t>(value))) {
    return SampleVerdict::kAlreadyThere;
  }
  std::optional<MetricHead::Stored> found = FindInHead(head, number, ts_ms, &known->head);
  if (!found.has_value()) found = FindInBatch(number, ts_ms);
  if (!found.has_value()) {
    PartSamples* const elsewhere = &known->elsewhere;
    if (!elsewhere->loaded) {
      MetricRange range = SpanOf(part);
      range.max_ms = std::min(range.max_ms, head.newest_ms(slots_[number]));
      VARVE_RETURN_IF_ERROR(store_->ReadElsewhere(shard, part.series, tenant_, range, &elsewhere->samples));
      elsewhere->loaded = true;
    }
    found = elsewhere->Find(ts_ms);
  }
  if (!found.has_value()) return SampleVerdict::kStored;
  return SameSample(*found, value, histogram) ? SampleVerdict::kAlreadyThere : SampleVerdict::kConflict;
}

// Of each part, before its samples can be seen.
void MetricAppend::MarkDays(uint32_t number, const MetricVerdicts& verdicts) const {
  const MetricBatch::Part& part = batch_.parts[number];
  int32_t day = INT32_MIN;
  const auto mark = [&](int64_t ts_ms, const std::vector<SampleVerdict>& all, size_t i) {
    if (!all.empty() && all[i] != SampleVerdict::kStored) return;
    const int32_t this_day = DayOf(ts_ms);
    if (this_day == day) return;
    day = this_day;
    store_->series_.MarkActive(part.series, {.first = day, .last = day});
  };
  for (size_t i = part.float_begin; i < size_t{part.float_begin} + part.float_count; ++i) {
    mark(batch_.floats[i].ts_ms, verdicts.floats, i);
  }
  for (size_t i = part.histogram_begin; i < size_t{part.histogram_begin} + part.histogram_count; ++i) {
    mark(batch_.histograms[i].ts_ms, verdicts.histograms, i);
  }
}

void MetricAppend::ApplyPart(MetricHead* head, uint32_t number, const MetricVerdicts& verdicts) {
  const MetricBatch::Part& part = batch_.parts[number];
  const uint32_t slot = slots_[number];
  for (size_t i = part.float_begin; i < size_t{part.float_begin} + part.float_count; ++i) {
    if (!verdicts.floats.empty() && verdicts.floats[i] != SampleVerdict::kStored) continue;
    head->AddFloat(slot, batch_.floats[i].ts_ms, batch_.floats[i].value, FloatStart(i));
  }
  for (size_t i = part.histogram_begin; i < size_t{part.histogram_begin} + part.histogram_count; ++i) {
    if (!verdicts.histograms.empty() && verdicts.histograms[i] != SampleVerdict::kStored) continue;
    head->AddHistogram(slot, batch_.histograms[i].ts_ms, batch_.histograms[i].histogram, HistogramStart(i));
  }
}

void MetricAppend::NoteApplied(MetricHead* head, bool was_empty) const {
  if (was_empty && !head->empty()) head->first_append_ns = store_->engine_->options_.clock->NowNs();
  head->SettleBudget();
  if (head->memory_bytes() >= store_->engine_->options_.metric_cut_bytes) store_->engine_->WakeCutScheduler();
}

void MetricAppend::Apply(const MetricVerdicts& verdicts) VARVE_NO_THREAD_SAFETY_ANALYSIS {
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].empty()) continue;
    MetricShard* const shard = store_->shards_[i].get();
    for (const uint32_t part : parts_[i]) MarkDays(part, verdicts);
    const WriterLock lock(shard->mu);
    MetricHead* const head = shard->active.get();
    const bool was_empty = head->empty();
    for (size_t k = 0; k < parts_[i].size(); ++k) {
      if (k + kPrefetchParts < parts_[i].size()) head->Prefetch(slots_[parts_[i][k + kPrefetchParts]]);
      ApplyPart(head, parts_[i][k], verdicts);
    }
    NoteApplied(head, was_empty);
  }
}

void MetricAppend::ApplyReplayed(const std::vector<bool>& shards_wanted) VARVE_NO_THREAD_SAFETY_ANALYSIS {
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].empty() || !shards_wanted[i]) continue;
    MetricShard* const shard = store_->shards_[i].get();
    OpenSlots(shard, parts_[i]);
    for (const uint32_t part : parts_[i]) MarkDays(part, {});
    const WriterLock lock(shard->mu);
    MetricHead* const head = shard->active.get();
    const bool was_empty = head->empty();
    for (const uint32_t number : parts_[i]) {
      const MetricBatch::Part& part = batch_.parts[number];
      const uint32_t slot = slots_[number];
      // What was there already when the record was written comes again.
      for (size_t k = part.float_begin; k < size_t{part.float_begin} + part.float_count; ++k) {
        const Sample& sample = batch_.floats[k];
        if (sample.ts_ms <= head->newest_ms(slot) && head->Lookup(slot, sample.ts_ms).has_value()) continue;
        head->AddFloat(slot, sample.ts_ms, sample.value, FloatStart(k));
      }
      for (size_t k = part.histogram_begin; k < size_t{part.histogram_begin} + part.histogram_count; ++k) {
        const MetricBatch::Histogram& item = batch_.histograms[k];
        if (item.ts_ms <= head->newest_ms(slot) && head->Lookup(slot, item.ts_ms).has_value()) continue;
        head->AddHistogram(slot, item.ts_ms, item.histogram, HistogramStart(k));
      }
    }
    NoteApplied(head, was_empty);
  }
}

Result<MetricVerdicts> MetricStoreImpl::Append(TenantId tenant, const MetricBatch& batch,
                                               const MetricRecordFn& record) {
  if (!engine_->recovered_.load(std::memory_order_acquire)) return Unavailable("the journal is still being replayed");
  if (engine_->closing_.load(std::memory_order_relaxed)) return Unavailable("shutting down");
  VARVE_RETURN_IF_ERROR(engine_->CheckDisk(kSampleBytes * batch.floats.size()));
  const int64_t estimate = EstimateBytes(batch);
  VARVE_RETURN_IF_ERROR(engine_->AdmitToHeads(&heads_budget_, estimate));
  MetricVerdicts verdicts;
  Status status;
  bool journalled = false;
  {
    MetricAppend append(this, tenant, batch);
    append.Lock();
    status = append.Judge(&verdicts);
    if (status.ok() && append.new_samples() != 0) {
      const std::string_view bytes = record(verdicts);
      const Result<JournalSeq> seq = engine_->stores_.journal->Append(bytes, /*sync=*/false);
      if (seq.ok()) {
        VARVE_KILL_POINT("after_metric_journal_write");
        engine_->journal_gauge_.Appended(*seq, bytes.size());
        append.Apply(verdicts);
        journalled = true;
      } else {
        status = IoError("the journal failed; nothing more is taken until a restart: " + seq.status().message());
      }
    }
  }
  heads_budget_.Release(estimate);
  VARVE_RETURN_IF_ERROR(std::move(status));
  if (journalled && engine_->options_.durability == Durability::kDisk) {
    VARVE_RETURN_IF_ERROR(engine_->stores_.journal->Sync());
  }
  VARVE_ASSIGN_OR_RETURN(const size_t exemplars, exemplars_.Add(batch.exemplars));
  if (!batch.metadata.empty()) {
    VARVE_RETURN_IF_ERROR(metadata_.Put(engine_->streams_.TenantName(tenant), batch.metadata));
  }
  CountAppended(verdicts, exemplars);
  return verdicts;
}

void MetricStoreImpl::CountAppended(const MetricVerdicts& verdicts, size_t exemplars) {
  uint64_t conflict = 0;
  uint64_t too_old = 0;
  uint64_t there = 0;
  for (const std::vector<SampleVerdict>* all : {&verdicts.floats, &verdicts.histograms}) {
    for (const SampleVerdict verdict : *all) {
      conflict += verdict == SampleVerdict::kConflict ? 1 : 0;
      too_old += verdict == SampleVerdict::kTooOld ? 1 : 0;
      there += verdict == SampleVerdict::kAlreadyThere ? 1 : 0;
    }
  }
  counters_.samples.fetch_add(verdicts.stored_floats, std::memory_order_relaxed);
  counters_.histograms.fetch_add(verdicts.stored_histograms, std::memory_order_relaxed);
  counters_.exemplars.fetch_add(exemplars, std::memory_order_relaxed);
  counters_.already_there.fetch_add(there, std::memory_order_relaxed);
  counters_.conflict.fetch_add(conflict, std::memory_order_relaxed);
  counters_.too_old.fetch_add(too_old, std::memory_order_relaxed);
}

void MetricStoreImpl::Replay(JournalSeq seq, TenantId tenant, const MetricBatch& batch,
                             const std::vector<JournalSeq>& watermarks) {
  std::vector<bool> wanted(shards_.size());
  for (size_t i = 0; i < shards_.size(); ++i) wanted[i] = seq > watermarks[i];
  MetricAppend append(this, tenant, batch);
  append.Lock();
  append.ApplyReplayed(wanted);
}

}  // namespace varve
