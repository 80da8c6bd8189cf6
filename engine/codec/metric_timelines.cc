#include "engine/codec/metric_timelines.h"

#include <utility>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/codec/checksum.h"
#include "engine/codec/integer_sequence.h"

namespace varve {

namespace {

constexpr uint32_t kMagic = 0x314C5456;  // "VTL1"
constexpr uint8_t kVersion = 1;
constexpr size_t kHeaderBytes = 32;
constexpr size_t kChecksumBytes = 8;

Status Bad(std::string what) { return Corruption("timeline block: " + std::move(what)); }

// What is wrong with the header, or ok; `reader` then stands behind it.
Status CheckFrame(std::string_view bytes, ByteReader* reader) {
  const auto magic = reader->Fixed<uint32_t>();
  const unsigned version = reader->Fixed<uint8_t>();
  const std::string_view reserved = reader->Bytes(3);
  if (!reader->ok() || bytes.size() < kHeaderBytes + kChecksumBytes) {
    return Bad("ends at offset " + std::to_string(bytes.size()));
  }
  if (magic != kMagic) return Bad("wrong magic at offset 0");
  if (version != kVersion) {
    return Bad("version " + std::to_string(version) + " at offset 4, this build reads " +
               std::to_string(kVersion));
  }
  const size_t end = bytes.size() - kChecksumBytes;
  if (LoadFixed<uint64_t>(bytes.data() + end) != Checksum(bytes.substr(0, end))) {
    return Bad("checksum at offset " + std::to_string(end) + " does not match");
  }
  if (reserved != std::string_view("\0\0\0", 3)) return Bad("reserved bytes at offset 5");
  return Status::Ok();
}

}  // namespace

MetricSpan SpanOf(int64_t ts_ms, unsigned halvings) {
  VARVE_DCHECK(halvings <= kMetricSpanHalvingsMax && ts_ms >= kMetricTimestampMin);
  const int64_t length = kMetricSpanMs >> halvings;
  const int64_t rest = ts_ms % length;
  return {.begin_ms = ts_ms - (rest < 0 ? rest + length : rest), .length_ms = static_cast<uint32_t>(length)};
}

bool IsMetricSpan(const MetricSpan& span) {
  for (unsigned halvings = 0; halvings <= kMetricSpanHalvingsMax; ++halvings) {
    if (span.length_ms == kMetricSpanMs >> halvings) {
      return span.begin_ms % static_cast<int64_t>(span.length_ms) == 0 &&
             span.begin_ms <= INT64_MAX - static_cast<int64_t>(span.length_ms);
    }
  }
  return false;
}

void TimelineBlockBuilder::Add(std::span<const int64_t> ts_ms) {
  VARVE_DCHECK(!ts_ms.empty() && ts_ms.size() <= kTimelineSamplesMax);
  VARVE_DCHECK(span_.Contains(ts_ms.front()) && span_.Contains(ts_ms.back()));
  const size_t start = timelines_.size();
  offsets_.clear();
  for (const int64_t ts : ts_ms) offsets_.push_back(ts - span_.begin_ms);
  PutVarint(&timelines_, offsets_.size());
  EncodeIntegerSequence(offsets_, &timelines_);
  sizes_.push_back(static_cast<uint32_t>(timelines_.size() - start));
}

void TimelineBlockBuilder::Encode(std::string* out) {
  std::string index;
  for (const uint32_t size : sizes_) PutVarint(&index, size);
  const size_t start = out->size();
  PutFixed<uint32_t>(out, kMagic);
  PutFixed<uint32_t>(out, kVersion);  // and three reserved bytes
  PutFixed<int64_t>(out, span_.begin_ms);
  PutFixed<uint32_t>(out, span_.length_ms);
  PutFixed<uint32_t>(out, first_);
  PutFixed<uint32_t>(out, static_cast<uint32_t>(sizes_.size()));
  PutFixed<uint32_t>(out,
                     static_cast<uint32_t>(kHeaderBytes + index.size() + timelines_.size() + kChecksumBytes));
  out->append(index);
  out->append(timelines_);
  PutFixed<uint64_t>(out, Checksum(std::string_view(*out).substr(start)));
  first_ = next();
  sizes_.clear();
  timelines_.clear();
}

Result<ParsedTimelines> ParsedTimelines::Parse(std::string_view bytes, std::shared_ptr<const void> owner) {
  ByteReader reader(bytes);
  VARVE_RETURN_IF_ERROR(CheckFrame(bytes, &reader));
  ParsedTimelines parsed;
  parsed.span_.begin_ms = reader.Fixed<int64_t>();
  parsed.span_.length_ms = reader.Fixed<uint32_t>();
  parsed.first_ = reader.Fixed<uint32_t>();
  const uint32_t count = reader.Fixed<uint32_t>();
  const uint32_t size = reader.Fixed<uint32_t>();
  if (size != bytes.size() || size > kMetricBlockBytesMax) return Bad("wrong size at offset 28");
  if (!IsMetricSpan(parsed.span_)) return Bad("impossible span at offset 8");
  if (count == 0 || count > kTimelinesMax || count > reader.remaining() ||
      count > UINT32_MAX - parsed.first_) {
    return Bad("impossible number of timelines at offset 24");
  }
  parsed.ends_.reserve(count);
  uint64_t end = 0;
  for (uint32_t t = 0; t < count; ++t) {
    const uint64_t timeline_size = reader.Varint();
    if (!reader.ok() || timeline_size > size) return Bad("bad size of timeline " + std::to_string(t));
    end += timeline_size;
    if (end > size) return Bad("bad size of timeline " + std::to_string(t));
    parsed.ends_.push_back(static_cast<uint32_t>(end));
  }
  if (end + kChecksumBytes != reader.remaining()) return Bad("sizes of timelines do not add up");
  parsed.timelines_ = reader.Bytes(end);
  parsed.owner_ = std::move(owner);
  return parsed;
}

Status ParsedTimelines::Append(uint32_t timeline, std::vector<int64_t>* out) const {
  if (!Contains(timeline)) return Bad("has no timeline " + std::to_string(timeline));
  const uint32_t index = timeline - first_;
  const uint32_t begin = index == 0 ? 0 : ends_[index - 1];
  ByteReader reader(timelines_.substr(begin, ends_[index] - begin));
  const uint64_t count = reader.Varint();
  if (!reader.ok() || count == 0 || count > kTimelineSamplesMax) {
    return Bad("impossible number of timestamps in timeline " + std::to_string(timeline));
  }
  const size_t start = out->size();
  out->resize(start + count);
  int64_t* const ts = out->data() + start;
  if (!DecodeIntegerSequence(&reader, std::span(ts, count)) || !reader.AtEnd()) {
    return Bad("damaged timeline " + std::to_string(timeline));
  }
  // Offsets that ascend from 0 or more and end inside the span.
  bool ascending = ts[0] >= 0 && ts[count - 1] < static_cast<int64_t>(span_.length_ms);
  for (size_t i = 1; i < count; ++i) ascending &= ts[i] > ts[i - 1];
  if (!ascending) return Bad("timestamps of timeline " + std::to_string(timeline) + " are not in order");
  for (size_t i = 0; i < count; ++i) ts[i] += span_.begin_ms;
  return Status::Ok();
}

int64_t ParsedTimelines::MemoryBytes() const {
  return static_cast<int64_t>(sizeof(*this) + timelines_.size() + ends_.capacity() * sizeof(uint32_t));
}

}  // namespace varve
