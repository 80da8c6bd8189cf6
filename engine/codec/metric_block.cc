#include "engine/codec/metric_block.h"

#include <algorithm>
#include <utility>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/codec/checksum.h"

namespace varve {

namespace {

constexpr uint32_t kMagic = 0x31424D56;  // "VMB1"
constexpr uint8_t kVersion = 1;
constexpr size_t kHeaderBytes = 32;
constexpr size_t kChecksumBytes = 8;

Status Bad(std::string what) { return Corruption("metric block: " + std::move(what)); }

}  // namespace

void MetricBlockBuilder::Add(uint32_t series, std::string_view chunk) {
  VARVE_DCHECK(chunk_count_ == 0 || series >= last_series_);
  if (chunk_count_ == 0) first_series_ = last_series_ = 0;
  PutVarint(&index_, series - last_series_);
  PutVarint(&index_, chunk.size());
  chunks_.append(chunk);
  if (chunk_count_ == 0) first_series_ = series;
  last_series_ = series;
  ++chunk_count_;
}

void MetricBlockBuilder::Encode(std::string* out) {
  static_assert(kFrameBytes == kHeaderBytes + kChecksumBytes);
  const size_t start = out->size();
  out->reserve(start + size_bytes());
  PutFixed<uint32_t>(out, kMagic);
  PutFixed<uint32_t>(out, kVersion);  // and three reserved bytes
  PutFixed<int64_t>(out, span_.begin_ms);
  PutFixed<uint32_t>(out, span_.length_ms);
  PutFixed<uint32_t>(out, chunk_count_);
  PutFixed<uint32_t>(out, static_cast<uint32_t>(index_.size()));
  PutFixed<uint32_t>(out, static_cast<uint32_t>(size_bytes()));
  out->append(index_);
  out->append(chunks_);
  PutFixed<uint64_t>(out, Checksum(std::string_view(*out).substr(start)));
  chunk_count_ = 0;
  index_.clear();
  chunks_.clear();
}

Result<ParsedMetricBlock> ParsedMetricBlock::Parse(std::string_view bytes,
                                                   std::shared_ptr<const void> owner) {
  ByteReader reader(bytes);
  const auto magic = reader.Fixed<uint32_t>();
  const unsigned version = reader.Fixed<uint8_t>();
  const std::string_view reserved = reader.Bytes(3);
  if (!reader.ok() || bytes.size() < kHeaderBytes + kChecksumBytes) {
    return Bad("ends at offset " + std::to_string(bytes.size()));
  }
  if (magic != kMagic) return Bad("wrong magic at offset 0");
  if (version != kVersion) {
    return Bad("version " + std::to_string(version) + " at offset 4, this build reads " +
               std::to_string(kVersion));
  }
  const size_t end_of_content = bytes.size() - kChecksumBytes;
  if (LoadFixed<uint64_t>(bytes.data() + end_of_content) != Checksum(bytes.substr(0, end_of_content))) {
    return Bad("checksum at offset " + std::to_string(end_of_content) + " does not match");
  }
  if (reserved != std::string_view("\0\0\0", 3)) return Bad("reserved bytes at offset 5");
  ParsedMetricBlock parsed;
  parsed.span_.begin_ms = reader.Fixed<int64_t>();
  parsed.span_.length_ms = reader.Fixed<uint32_t>();
  const auto count = reader.Fixed<uint32_t>();
  const auto index_bytes = reader.Fixed<uint32_t>();
  const auto size = reader.Fixed<uint32_t>();
  if (size != bytes.size() || size > kMetricBlockBytesMax) return Bad("wrong size at offset 28");
  if (!IsMetricSpan(parsed.span_)) return Bad("impossible span at offset 8");
  ByteReader index(reader.Bytes(index_bytes));
  if (!reader.ok() || count == 0 || count > index.remaining() / 2) {
    return Bad("impossible number of chunks at offset 20");
  }
  parsed.entries_.reserve(count);
  uint64_t series = 0;
  uint64_t end = 0;
  for (uint32_t c = 0; c < count; ++c) {
    const uint64_t step = index.Varint();
    const uint64_t chunk_bytes = index.Varint();
    if (!index.ok() || step > UINT32_MAX - series || chunk_bytes > size - end) {
      return Bad("bad index entry of chunk " + std::to_string(c));
    }
    series += step;
    end += chunk_bytes;
    parsed.entries_.push_back({static_cast<uint32_t>(series), static_cast<uint32_t>(end)});
  }
  if (!index.AtEnd() || end + kChecksumBytes != reader.remaining())
    return Bad("sizes of chunks do not add up");
  parsed.chunks_ = reader.Bytes(end);
  parsed.bytes_ = bytes.size();
  parsed.owner_ = std::move(owner);
  return parsed;
}

Status ParsedMetricBlock::ReadChunk(uint32_t chunk, MetricRange range, const TimelineSource& timelines,
                                    SeriesSamples* append) const {
  const uint32_t begin = chunk == 0 ? 0 : entries_[chunk - 1].end;
  Status status =
      DecodeMetricChunk(chunks_.substr(begin, entries_[chunk].end - begin), range, timelines, append);
  if (status.ok()) return status;
  return std::move(status).WithContext("chunk " + std::to_string(chunk));
}

Status ParsedMetricBlock::Read(uint32_t series, MetricRange range, const TimelineSource& timelines,
                               SeriesSamples* append) const {
  if (range.max_ms < span_.begin_ms || range.min_ms > span_.last_ms()) return Status::Ok();
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), series,
                                   [](const Entry& entry, uint32_t wanted) { return entry.series < wanted; });
  for (auto chunk = static_cast<uint32_t>(at - entries_.begin());
       chunk < entries_.size() && entries_[chunk].series == series; ++chunk) {
    VARVE_RETURN_IF_ERROR(ReadChunk(chunk, range, timelines, append));
  }
  return Status::Ok();
}

int64_t ParsedMetricBlock::MemoryBytes() const {
  return static_cast<int64_t>(sizeof(*this) + bytes_ + entries_.capacity() * sizeof(Entry));
}

}  // namespace varve
