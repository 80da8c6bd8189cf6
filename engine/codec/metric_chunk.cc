#include "engine/codec/metric_chunk.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/codec/double_sequence.h"
#include "engine/codec/histogram_sequence.h"
#include "engine/codec/integer_sequence.h"

namespace varve {

namespace {

constexpr unsigned kFloats = 1;
constexpr unsigned kHistograms = 2;
constexpr unsigned kFloatStarts = 4;
constexpr unsigned kHistogramStarts = 8;
enum StartsForm : uint8_t { kAbsolute = 0, kBeforeSample = 1 };

Status Bad(const char* what) { return Corruption(std::string("metric chunk: ") + what); }

int64_t Minus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

// Start timestamps mostly stand still (a counter) or follow the samples (deltas).
void EncodeStarts(std::span<const int64_t> starts_ms, const std::vector<int64_t>& ts_ms, std::string* out) {
  thread_local std::vector<int64_t> ages;
  thread_local std::string before_sample;
  ages.resize(starts_ms.size());
  for (size_t i = 0; i < starts_ms.size(); ++i) ages[i] = Minus(ts_ms[i], starts_ms[i]);
  before_sample.clear();
  EncodeIntegerSequence(ages, &before_sample);
  const size_t start = out->size();
  out->push_back(kAbsolute);
  EncodeIntegerSequence(starts_ms, out);
  if (before_sample.size() + 1 >= out->size() - start) return;
  out->resize(start);
  out->push_back(kBeforeSample);
  out->append(before_sample);
}

bool DecodeStarts(ByteReader* reader, std::span<const int64_t> ts_ms, std::vector<int64_t>* starts_ms) {
  const unsigned form = reader->Fixed<uint8_t>();
  starts_ms->resize(ts_ms.size());
  if (!reader->ok() || form > kBeforeSample || !DecodeIntegerSequence(reader, *starts_ms)) return false;
  if (form == kBeforeSample) {
    for (size_t i = 0; i < ts_ms.size(); ++i) (*starts_ms)[i] = Minus(ts_ms[i], (*starts_ms)[i]);
  }
  return true;
}

bool AnyStart(std::span<const int64_t> starts_ms) {
  return std::any_of(starts_ms.begin(), starts_ms.end(), [](int64_t start) { return start != kNoStartMs; });
}

// What of the ascending `ts_ms` lies in the range.
struct Window {
  size_t begin = 0;
  size_t end = 0;
  size_t size() const { return end - begin; }
};
Window WindowOf(std::span<const int64_t> ts_ms, MetricRange range) {
  Window window{.begin = 0, .end = ts_ms.size()};
  if (ts_ms.front() < range.min_ms) {
    window.begin =
        static_cast<size_t>(std::lower_bound(ts_ms.begin(), ts_ms.end(), range.min_ms) - ts_ms.begin());
  }
  if (ts_ms.back() > range.max_ms) {
    window.end =
        static_cast<size_t>(std::upper_bound(ts_ms.begin(), ts_ms.end(), range.max_ms) - ts_ms.begin());
  }
  window.end = std::max(window.begin, window.end);
  return window;
}

// Keeps of what was appended from `start` on what the window shows.
template <typename T>
void Clip(size_t start, const Window& window, std::vector<T>* values) {
  values->resize(start + window.end);
  values->erase(values->begin() + static_cast<ptrdiff_t>(start),
                values->begin() + static_cast<ptrdiff_t>(start + window.begin));
}

// Appends the starts of the window; older samples, which had none, get kNoStartMs.
void AppendStarts(std::span<const int64_t> starts_ms, const Window& window, size_t before,
                  std::vector<int64_t>* out) {
  if (starts_ms.empty() && out->empty()) return;
  out->resize(before, kNoStartMs);
  if (starts_ms.empty()) {
    out->resize(before + window.size(), kNoStartMs);
  } else {
    out->insert(out->end(), starts_ms.begin() + static_cast<ptrdiff_t>(window.begin),
                starts_ms.begin() + static_cast<ptrdiff_t>(window.end));
  }
}

// Appends the timestamps of the timeline that `reader` names.
Status AppendTimeline(ByteReader* reader, const TimelineSource& timelines, std::vector<int64_t>* ts_ms) {
  const uint64_t number = reader->Varint();
  if (!reader->ok() || number > UINT32_MAX) return Bad("no timeline");
  const auto timeline = static_cast<uint32_t>(number);
  VARVE_ASSIGN_OR_RETURN(const std::shared_ptr<const ParsedTimelines> block, timelines.BlockOf(timeline));
  return block->Append(timeline, ts_ms);
}

// `has_more`: histograms follow, so that the floats must be read over even when none is asked for.
Status DecodeFloats(ByteReader* reader, MetricRange range, const TimelineSource& timelines, bool has_starts,
                    bool has_more, SeriesSamples* out) {
  const size_t start = out->float_ts_ms.size();
  if (start != out->floats.size()) return Bad("samples to append to do not agree");
  VARVE_RETURN_IF_ERROR(AppendTimeline(reader, timelines, &out->float_ts_ms));
  const std::span<const int64_t> ts_ms = std::span<const int64_t>(out->float_ts_ms).subspan(start);
  const Window window = WindowOf(ts_ms, range);
  if (window.size() == 0 && !has_more) {
    out->float_ts_ms.resize(start);
    return Status::Ok();
  }
  out->floats.resize(start + ts_ms.size());
  if (!DecodeDoubleSequence(reader, std::span(out->floats).subspan(start))) return Bad("damaged floats");
  thread_local std::vector<int64_t> starts_ms;
  starts_ms.clear();
  if (has_starts && !DecodeStarts(reader, ts_ms, &starts_ms)) return Bad("damaged starts of floats");
  if (!has_more && !reader->AtEnd()) return Bad("bytes behind its end");
  if (has_starts || !out->float_starts_ms.empty()) {
    AppendStarts(starts_ms, window, start, &out->float_starts_ms);
  }
  if (window.size() == ts_ms.size()) return Status::Ok();
  Clip(start, window, &out->float_ts_ms);
  Clip(start, window, &out->floats);
  return Status::Ok();
}

Status DecodeHistograms(ByteReader* reader, MetricRange range, const TimelineSource& timelines,
                        bool has_starts, SeriesSamples* out) {
  thread_local std::vector<int64_t> ts_ms;
  ts_ms.clear();
  VARVE_RETURN_IF_ERROR(AppendTimeline(reader, timelines, &ts_ms));
  const Window window = WindowOf(ts_ms, range);
  if (window.size() == 0) return Status::Ok();
  std::vector<HistogramPtr> histograms;
  if (!DecodeHistogramSequence(reader, ts_ms.size(), window.begin, window.end, &histograms)) {
    return Bad("damaged histograms");
  }
  std::vector<int64_t> starts_ms;
  if (has_starts && !DecodeStarts(reader, ts_ms, &starts_ms)) return Bad("damaged starts of histograms");
  if (!reader->AtEnd()) return Bad("bytes behind its end");
  AppendStarts(starts_ms, window, out->histograms.size(), &out->histogram_starts_ms);
  for (size_t i = window.begin; i < window.end; ++i) {
    out->histograms.push_back({.ts_ms = ts_ms[i], .histogram = std::move(histograms[i - window.begin])});
  }
  return Status::Ok();
}

}  // namespace

Status EncodeMetricChunk(const SeriesSamplesView& samples, uint32_t float_timeline,
                         uint32_t histogram_timeline, std::string* out) {
  VARVE_DCHECK(samples.floats.size() <= kChunkSamplesMax && samples.histograms.size() <= kChunkSamplesMax);
  const bool float_starts = AnyStart(samples.float_starts_ms);
  const bool histogram_starts = AnyStart(samples.histogram_starts_ms);
  out->push_back(static_cast<char>(
      (samples.floats.empty() ? 0U : kFloats) | (samples.histograms.empty() ? 0U : kHistograms) |
      (float_starts ? kFloatStarts : 0U) | (histogram_starts ? kHistogramStarts : 0U)));
  thread_local std::vector<int64_t> ts_ms;
  if (!samples.floats.empty()) {
    PutVarint(out, float_timeline);
    EncodeDoubleSequence(samples.floats, out);
    if (float_starts) {
      ts_ms.assign(samples.float_ts_ms.begin(), samples.float_ts_ms.end());
      EncodeStarts(samples.float_starts_ms, ts_ms, out);
    }
  }
  if (!samples.histograms.empty()) {
    PutVarint(out, histogram_timeline);
    VARVE_RETURN_IF_ERROR(EncodeHistogramSequence(samples.histograms, out));
    if (histogram_starts) {
      ts_ms.clear();
      for (const HistogramSample& sample : samples.histograms) ts_ms.push_back(sample.ts_ms);
      EncodeStarts(samples.histogram_starts_ms, ts_ms, out);
    }
  }
  return Status::Ok();
}

Status DecodeMetricChunk(std::string_view chunk, MetricRange range, const TimelineSource& timelines,
                         SeriesSamples* out) {
  ByteReader reader(chunk);
  const unsigned parts = reader.Fixed<uint8_t>();
  const bool floats = (parts & kFloats) != 0;
  const bool histograms = (parts & kHistograms) != 0;
  if (!reader.ok() || parts > 15 || !(floats || histograms) || ((parts & kFloatStarts) != 0 && !floats) ||
      ((parts & kHistogramStarts) != 0 && !histograms)) {
    return Bad("impossible parts");
  }
  if (floats) {
    VARVE_RETURN_IF_ERROR(
        DecodeFloats(&reader, range, timelines, (parts & kFloatStarts) != 0, histograms, out));
  }
  if (histograms) return DecodeHistograms(&reader, range, timelines, (parts & kHistogramStarts) != 0, out);
  return Status::Ok();
}

}  // namespace varve
