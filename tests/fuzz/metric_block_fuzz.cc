// Arbitrary bytes as a timeline block and a metric block: as they are, then with a right size and checksum,
// so that what lies behind those is reached. Nothing must crash or take more than the limits allow, whatever
// it decodes to; what decodes must encode and decode to the same again.
#include <bit>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/codec/checksum.h"
#include "engine/codec/metric_block.h"
#include "engine/codec/metric_chunk.h"
#include "engine/codec/metric_timelines.h"

namespace varve {
namespace {

constexpr MetricSpan kSpan{.begin_ms = 0, .length_ms = kMetricSpanMs};

// Timelines 0 and 1 of 4 and 300 timestamps.
class Timelines : public TimelineSource {
 public:
  Timelines() {
    TimelineBlockBuilder builder(kSpan, 0);
    for (const int64_t count : {4, 300}) {
      std::vector<int64_t> ts_ms;
      for (int64_t i = 0; i < count; ++i) ts_ms.push_back(i * 15'000 + i % 3);
      builder.Add(ts_ms);
    }
    builder.Encode(&bytes_);
    auto parsed = ParsedTimelines::Parse(bytes_, nullptr);
    VARVE_CHECK(parsed.ok());
    parsed_ = std::make_shared<const ParsedTimelines>(std::move(parsed).value());
  }
  Result<std::shared_ptr<const ParsedTimelines>> BlockOf(uint32_t) const override { return parsed_; }

 private:
  std::string bytes_;
  std::shared_ptr<const ParsedTimelines> parsed_;
};

const Timelines& AllTimelines() {
  static const Timelines timelines;
  return timelines;
}

bool SameDoubles(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::bit_cast<uint64_t>(a[i]) != std::bit_cast<uint64_t>(b[i])) return false;
  }
  return true;
}

void TryChunk(std::string_view chunk) {
  SeriesSamples samples;
  const Status status = DecodeMetricChunk(chunk, {}, AllTimelines(), &samples);
  if (!status.ok()) {
    VARVE_CHECK(status.code() == Code::kCorruption);
    return;
  }
  const auto timeline_of = [](size_t count) { return count == 4 ? 0U : 1U; };
  std::string again;
  VARVE_CHECK(EncodeMetricChunk(samples, timeline_of(samples.floats.size()),
                                timeline_of(samples.histograms.size()), &again)
                  .ok());
  SeriesSamples decoded;
  VARVE_CHECK(DecodeMetricChunk(again, {}, AllTimelines(), &decoded).ok());
  VARVE_CHECK(decoded.float_ts_ms == samples.float_ts_ms && SameDoubles(decoded.floats, samples.floats));
  VARVE_CHECK(decoded.histograms.size() == samples.histograms.size());
  // A part of the range is a part of the samples.
  SeriesSamples part;
  VARVE_CHECK(DecodeMetricChunk(chunk, {.min_ms = 20'000, .max_ms = 50'000}, AllTimelines(), &part).ok());
  VARVE_CHECK(part.size() <= samples.size());
}

void TryBlocks(std::string_view bytes) {
  const auto timelines = ParsedTimelines::Parse(bytes, nullptr);
  if (timelines.ok()) {
    std::vector<int64_t> ts_ms;
    for (uint32_t t = 0; t < std::min(timelines->count(), 64U); ++t) {
      ts_ms.clear();
      timelines->Append(timelines->first() + t, &ts_ms).IgnoreError("either is right");
    }
  }
  const auto block = ParsedMetricBlock::Parse(bytes, nullptr);
  if (!block.ok()) return;
  SeriesSamples samples;
  for (uint32_t c = 0; c < std::min(block->chunk_count(), 64U); ++c) {
    samples.Clear();
    block->ReadChunk(c, {}, AllTimelines(), &samples).IgnoreError("either is right");
    samples.Clear();
    block->Read(block->SeriesOf(c), {}, AllTimelines(), &samples).IgnoreError("either is right");
  }
}

std::string WithSizeAndChecksum(std::string_view bytes) {
  std::string fixed(bytes);
  if (fixed.size() < 32) fixed.resize(32);
  const auto size = static_cast<uint32_t>(fixed.size() + 8);
  std::memcpy(fixed.data() + 28, &size, sizeof(size));
  PutFixed(&fixed, Checksum(fixed));
  return fixed;
}

}  // namespace
}  // namespace varve

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  varve::TryChunk(bytes);
  varve::TryBlocks(bytes);
  varve::TryBlocks(varve::WithSizeAndChecksum(bytes));
  return 0;
}
