#include "engine/packs/metric_pack_writer.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "engine/base/check.h"
#include "engine/codec/checksum.h"
#include "engine/codec/histogram_sequence.h"
#include "engine/codec/integer_sequence.h"

namespace varve {

namespace {

size_t LowerBound(std::span<const int64_t> ts_ms, int64_t ts) {
  return static_cast<size_t>(std::lower_bound(ts_ms.begin(), ts_ms.end(), ts) - ts_ms.begin());
}

size_t LowerBound(std::span<const HistogramSample> samples, int64_t ts) {
  const auto at =
      std::lower_bound(samples.begin(), samples.end(), ts,
                       [](const HistogramSample& sample, int64_t wanted) { return sample.ts_ms < wanted; });
  return static_cast<size_t>(at - samples.begin());
}

std::span<const int64_t> Part(std::span<const int64_t> starts, size_t begin, size_t count) {
  return starts.empty() ? starts : starts.subspan(begin, count);
}

SeriesSamplesView Floats(const SeriesSamplesView& samples, size_t begin, size_t count) {
  SeriesSamplesView part;
  part.float_ts_ms = samples.float_ts_ms.subspan(begin, count);
  part.floats = samples.floats.subspan(begin, count);
  part.float_starts_ms = Part(samples.float_starts_ms, begin, count);
  return part;
}

void SetHistograms(const SeriesSamplesView& samples, size_t begin, size_t count, SeriesSamplesView* part) {
  part->histograms = samples.histograms.subspan(begin, count);
  part->histogram_starts_ms = Part(samples.histogram_starts_ms, begin, count);
}

// The samples up to and including `last_ms`, which are taken off `samples`.
SeriesSamplesView TakeUntil(int64_t last_ms, SeriesSamplesView* samples) {
  const size_t floats = LowerBound(samples->float_ts_ms, last_ms + 1);
  const size_t histograms = LowerBound(samples->histograms, last_ms + 1);
  SeriesSamplesView taken = Floats(*samples, 0, floats);
  SetHistograms(*samples, 0, histograms, &taken);
  SeriesSamplesView rest = Floats(*samples, floats, samples->floats.size() - floats);
  SetHistograms(*samples, histograms, samples->histograms.size() - histograms, &rest);
  *samples = rest;
  return taken;
}

int64_t FirstTime(const SeriesSamplesView& samples) {
  int64_t first = INT64_MAX;
  if (!samples.float_ts_ms.empty()) first = samples.float_ts_ms.front();
  if (!samples.histograms.empty()) first = std::min(first, samples.histograms.front().ts_ms);
  return first;
}

int64_t LastTime(const SeriesSamplesView& samples) {
  int64_t last = INT64_MIN;
  if (!samples.float_ts_ms.empty()) last = samples.float_ts_ms.back();
  if (!samples.histograms.empty()) last = std::max(last, samples.histograms.back().ts_ms);
  return last;
}

bool Ascend(const SeriesSamplesView& samples) {
  for (size_t i = 1; i < samples.float_ts_ms.size(); ++i) {
    if (samples.float_ts_ms[i] <= samples.float_ts_ms[i - 1]) return false;
  }
  for (size_t i = 1; i < samples.histograms.size(); ++i) {
    if (samples.histograms[i].ts_ms <= samples.histograms[i - 1].ts_ms) return false;
  }
  return true;
}

}  // namespace

// What is being filled for one span.
struct MetricPackWriter::OpenSpan {
  explicit OpenSpan(const MetricSpan& of) : span(of), chunks(of), timelines(of, 0) {}
  const MetricSpan span;
  MetricBlockBuilder chunks;
  uint64_t floats = 0;
  uint64_t histograms = 0;
  int64_t min_ts_ms = INT64_MAX;
  int64_t max_ts_ms = INT64_MIN;
  TimelineBlockBuilder timelines;
  struct KeyHash {
    size_t operator()(const ContentKey& key) const { return key.low; }
  };
  std::unordered_map<ContentKey, uint32_t, KeyHash> numbers;

  uint64_t bytes() const { return chunks.size_bytes() + timelines.size_bytes(); }
};

MetricPackWriter::MetricPackWriter(const MetricPackWriterOptions& options, PendingPack* pending)
    : options_(options), pending_(pending) {}
MetricPackWriter::~MetricPackWriter() = default;

Status MetricPackWriter::AddSeries(uint64_t fingerprint, std::string_view tenant,
                                   std::string_view canonical_labels) {
  if (!series_has_samples_) return InvalidArgument("a metric pack's series has no samples");
  if (directory_.series_count() == kMetricPackSeriesMax)
    return TooLarge("a metric pack holds too many series");
  if (canonical_labels.size() > kMetricPackLabelBytesMax - directory_.label_bytes.size()) {
    return TooLarge("a metric pack's labels are too long");
  }
  if (directory_.tenants.empty() || directory_.tenants.back() != tenant) {
    if (!directory_.tenants.empty() && tenant < directory_.tenants.back()) {
      return InvalidArgument("a metric pack's tenants must ascend");
    }
    if (directory_.tenants.size() == kMetricPackTenantsMax)
      return TooLarge("a metric pack holds too many tenants");
    VARVE_RETURN_IF_ERROR(CloseAllChunks());  // a block has one tenant
    directory_.tenants.emplace_back(tenant);
    directory_.tenant_ends.push_back(directory_.series_count());
  } else if (!MetricSeriesLess(directory_.LabelsOf(directory_.series_count() - 1), canonical_labels)) {
    return InvalidArgument("a metric pack's series must ascend");
  }
  directory_.fingerprints.push_back(fingerprint);
  ++directory_.tenant_ends.back();
  directory_.label_bytes.append(canonical_labels);
  directory_.label_ends.push_back(static_cast<uint32_t>(directory_.label_bytes.size()));
  series_has_samples_ = false;
  last_ts_ms_ = INT64_MIN;
  return Status::Ok();
}

Status MetricPackWriter::AddSamples(const SeriesSamplesView& samples) {
  VARVE_CHECK(directory_.series_count() != 0);
  if (samples.empty()) return Status::Ok();
  const int64_t first = FirstTime(samples);
  if (first < kMetricTimestampMin || LastTime(samples) > kMetricTimestampMax) {
    return InvalidArgument("a sample's time is beyond what packs can hold");
  }
  const bool later = !series_has_samples_ || SpanOf(first, 0).begin_ms > last_ts_ms_;
  if (!later || !Ascend(samples)) {
    return InvalidArgument("samples of a series must ascend, and those of a span come at once");
  }
  series_has_samples_ = true;
  last_ts_ms_ = LastTime(samples);
  SeriesSamplesView rest = samples;
  while (!rest.empty()) {
    const MetricSpan span = SpanOf(FirstTime(rest), 0);
    VARVE_RETURN_IF_ERROR(AddSpan(span, 0, TakeUntil(span.last_ms(), &rest)));
  }
  return RespectOpenBytes();
}

// Halves the span for as long as it holds too many samples.
Status MetricPackWriter::AddSpan(const MetricSpan& span, unsigned halvings,
                                 const SeriesSamplesView& samples) {
  if (samples.empty()) return Status::Ok();
  if (std::max(samples.floats.size(), samples.histograms.size()) <= options_.span_samples_max ||
      halvings == kMetricSpanHalvingsMax) {
    return AddParts(span, samples);
  }
  SeriesSamplesView rest = samples;
  const uint32_t half = span.length_ms / 2;
  const MetricSpan early{.begin_ms = span.begin_ms, .length_ms = half};
  const MetricSpan late{.begin_ms = span.begin_ms + half, .length_ms = half};
  const SeriesSamplesView before = TakeUntil(early.last_ms(), &rest);
  VARVE_RETURN_IF_ERROR(AddSpan(early, halvings + 1, before));
  return AddSpan(late, halvings + 1, rest);
}

// One chunk, or several when the histograms are beyond what one may decode to.
Status MetricPackWriter::AddParts(const MetricSpan& span, SeriesSamplesView samples) {
  while (!samples.empty()) {
    uint64_t cells = 0;
    size_t count = 0;
    for (const HistogramSample& sample : samples.histograms) {
      cells += HistogramCells(*sample.histogram);
      if (count != 0 && (cells > kChunkHistogramCellsMax || count == kChunkSamplesMax)) break;
      ++count;
    }
    int64_t last_ms = span.last_ms();
    if (count < samples.histograms.size()) last_ms = samples.histograms[count].ts_ms - 1;
    if (samples.floats.size() > kChunkSamplesMax) {
      last_ms = std::min(last_ms, samples.float_ts_ms[kChunkSamplesMax] - 1);
    }
    const SeriesSamplesView part = TakeUntil(last_ms, &samples);
    VARVE_RETURN_IF_ERROR(AddChunk(span, part));
  }
  return Status::Ok();
}

MetricPackWriter::OpenSpan* MetricPackWriter::SpanAt(const MetricSpan& span) {
  auto& open = spans_[{span.begin_ms, span.length_ms}];
  if (open == nullptr) open = std::make_unique<OpenSpan>(span);
  return open.get();
}

Status MetricPackWriter::AddChunk(const MetricSpan& span, const SeriesSamplesView& samples) {
  OpenSpan* const open = SpanAt(span);
  const uint64_t bytes_before = open->bytes();
  uint32_t float_timeline = 0;
  uint32_t histogram_timeline = 0;
  if (!samples.floats.empty()) {
    VARVE_ASSIGN_OR_RETURN(float_timeline, Timeline(open, samples.float_ts_ms));
  }
  if (!samples.histograms.empty()) {
    ts_ms_.clear();
    for (const HistogramSample& sample : samples.histograms) ts_ms_.push_back(sample.ts_ms);
    VARVE_ASSIGN_OR_RETURN(histogram_timeline, Timeline(open, ts_ms_));
  }
  chunk_.clear();
  VARVE_RETURN_IF_ERROR(EncodeMetricChunk(samples, float_timeline, histogram_timeline, &chunk_));
  open_bytes_ += open->bytes() - bytes_before;
  constexpr size_t kIndexEntryBytes = 10;  // at most
  if (!open->chunks.empty() &&
      open->chunks.size_bytes() + chunk_.size() + kIndexEntryBytes > options_.block_bytes) {
    VARVE_RETURN_IF_ERROR(CloseChunks(open));
  }
  const uint64_t chunks_before = open->chunks.size_bytes();
  open->chunks.Add(directory_.series_count() - 1, chunk_);
  open_bytes_ += open->chunks.size_bytes() - chunks_before;
  open->floats += samples.floats.size();
  open->histograms += samples.histograms.size();
  open->min_ts_ms = std::min(open->min_ts_ms, FirstTime(samples));
  open->max_ts_ms = std::max(open->max_ts_ms, LastTime(samples));
  return Status::Ok();
}

// The number of this vector of timestamps in the span, which it gets now if it is new.
Result<uint32_t> MetricPackWriter::Timeline(OpenSpan* open, std::span<const int64_t> ts_ms) {
  const std::string_view bytes(reinterpret_cast<const char*>(ts_ms.data()), ts_ms.size() * sizeof(int64_t));
  if (open->numbers.size() >= options_.timelines_max) open->numbers.clear();
  const auto [at, is_new] = open->numbers.try_emplace(ContentKeyOf(bytes), open->timelines.next());
  if (!is_new) return at->second;
  if (open->timelines.next() == std::numeric_limits<uint32_t>::max())
    return TooLarge("a span has too many timelines");
  const uint64_t before = open->timelines.size_bytes();
  open->timelines.Add(ts_ms);
  open_bytes_ += open->timelines.size_bytes() - before;
  const uint32_t number = at->second;
  if (open->timelines.size_bytes() >= options_.block_bytes) VARVE_RETURN_IF_ERROR(CloseTimelines(open));
  return number;
}

Status MetricPackWriter::AddBlock(MetricPackBlock block) {
  if (directory_.blocks.size() == kMetricPackBlocksMax)
    return TooLarge("a metric pack holds too many blocks");
  if (encoded_.size() > kMetricBlockBytesMax) return TooLarge("a metric block is too large");
  block.encoded_bytes = static_cast<uint32_t>(encoded_.size());
  directory_.blocks.push_back(block);
  directory_.encoded_bytes += block.encoded_bytes;
  return pending_->AddBlock(encoded_);
}

Status MetricPackWriter::CloseChunks(OpenSpan* open) {
  if (open->chunks.empty()) return Status::Ok();
  MetricPackBlock block{.kind = MetricBlockKind::kChunks,
                        .span = open->span,
                        .first_series = open->chunks.first_series(),
                        .last_series = open->chunks.last_series(),
                        .chunk_count = open->chunks.chunk_count(),
                        .floats = open->floats,
                        .histograms = open->histograms,
                        .min_ts_ms = open->min_ts_ms,
                        .max_ts_ms = open->max_ts_ms};
  open_bytes_ -= open->chunks.size_bytes();
  encoded_.clear();
  open->chunks.Encode(&encoded_);
  open_bytes_ += open->chunks.size_bytes();
  open->floats = open->histograms = 0;
  open->min_ts_ms = INT64_MAX;
  open->max_ts_ms = INT64_MIN;
  return AddBlock(block);
}

Status MetricPackWriter::CloseTimelines(OpenSpan* open) {
  const uint32_t count = open->timelines.next() - open->timelines.first();
  if (count == 0) return Status::Ok();
  MetricPackBlock block{.kind = MetricBlockKind::kTimelines,
                        .span = open->span,
                        .first_timeline = open->timelines.first(),
                        .timeline_count = count};
  open_bytes_ -= open->timelines.size_bytes();
  encoded_.clear();
  open->timelines.Encode(&encoded_);
  return AddBlock(block);
}

Status MetricPackWriter::CloseAllChunks() {
  for (auto& [key, open] : spans_) VARVE_RETURN_IF_ERROR(CloseChunks(open.get()));
  return Status::Ok();
}

Status MetricPackWriter::RespectOpenBytes() {
  while (open_bytes_ > options_.open_bytes_max) {
    OpenSpan* largest = nullptr;
    for (auto& [key, open] : spans_) {
      if (!open->chunks.empty() && (largest == nullptr || open->bytes() > largest->bytes()))
        largest = open.get();
    }
    if (largest == nullptr) break;
    VARVE_RETURN_IF_ERROR(CloseChunks(largest));
    VARVE_RETURN_IF_ERROR(CloseTimelines(largest));
  }
  return Status::Ok();
}

Result<MetricPackDirectory> MetricPackWriter::Finish() {
  if (directory_.series_count() == 0 || !series_has_samples_) {
    return InvalidArgument("a metric pack or its last series has no samples");
  }
  for (auto& [key, open] : spans_) {
    VARVE_RETURN_IF_ERROR(CloseChunks(open.get()));
    VARVE_RETURN_IF_ERROR(CloseTimelines(open.get()));
  }
  VARVE_RETURN_IF_ERROR(FinishMetricPackDirectory(&directory_));
  std::string bytes;
  EncodeMetricPackDirectory(directory_, &bytes);
  VARVE_RETURN_IF_ERROR(pending_->CommitBytes(bytes));
  return std::move(directory_);
}

}  // namespace varve
