#include "engine/packs/metric_pack_directory.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "engine/base/bytes.h"
#include "engine/codec/checksum.h"
#include "engine/codec/compress.h"
#include "engine/model/packed_labels.h"

namespace varve {

namespace {

constexpr uint32_t kMagic = 0x31444D56;  // "VMD1"
constexpr uint8_t kVersion = 1;
constexpr size_t kHeaderBytes = 24;
constexpr size_t kChecksumBytes = 8;
constexpr uint32_t kPartBytesMax = 1 << 30;  // decoded; of core and labels each
constexpr int64_t kSpanUnitMs = kMetricSpanMs >> kMetricSpanHalvingsMax;
// Where a span can begin, in units; so that every timestamp in it is an int64.
constexpr int64_t kUnitMin = INT64_MIN / kSpanUnitMs;
constexpr int64_t kUnitMax = INT64_MAX / kSpanUnitMs - (1 << kMetricSpanHalvingsMax);

Status Bad(std::string what) { return Corruption("metric pack directory: " + std::move(what)); }

std::string_view NameIn(std::string_view canonical) {
  ByteReader reader(canonical);
  while (reader.remaining() != 0) {
    const std::string_view name = reader.LengthPrefixed();
    const std::string_view value = reader.LengthPrefixed();
    if (!reader.ok()) break;
    if (name == kMetricName) return value;
  }
  return {};
}

unsigned HalvingsOf(const MetricSpan& span) {
  unsigned halvings = 0;
  while (kMetricSpanMs >> halvings > span.length_ms) ++halvings;
  return halvings;
}

auto ChunkPlace(const MetricPackBlock& b) {
  return std::tuple(b.span.begin_ms, b.span.length_ms, b.first_series, b.last_series);
}
auto TimelinePlace(const MetricPackBlock& b) {
  return std::tuple(b.span.begin_ms, b.span.length_ms, b.first_timeline, b.timeline_count);
}

std::string EncodeCore(const MetricPackDirectory& directory) {
  std::string out;
  PutVarint(&out, directory.tenants.size());
  for (size_t t = 0; t < directory.tenants.size(); ++t) {
    PutLengthPrefixed(&out, directory.tenants[t]);
    PutVarint(&out, directory.tenant_ends[t] - (t == 0 ? 0 : directory.tenant_ends[t - 1]));
  }
  for (const uint64_t fingerprint : directory.fingerprints) PutFixed(&out, fingerprint);
  PutVarint(&out, directory.blocks.size());
  int64_t last_unit = 0;
  for (const MetricPackBlock& block : directory.blocks) {
    const int64_t unit = block.span.begin_ms / kSpanUnitMs;
    out.push_back(static_cast<char>(block.kind));
    out.push_back(static_cast<char>(HalvingsOf(block.span)));
    PutSignedVarint(&out, unit - last_unit);
    last_unit = unit;
    PutVarint(&out, block.encoded_bytes);
    if (block.kind == MetricBlockKind::kTimelines) {
      PutVarint(&out, block.first_timeline);
      PutVarint(&out, block.timeline_count);
      continue;
    }
    PutVarint(&out, block.first_series);
    PutVarint(&out, block.last_series - block.first_series);
    PutVarint(&out, block.chunk_count);
    PutVarint(&out, block.floats);
    PutVarint(&out, block.histograms);
    PutVarint(&out, static_cast<uint64_t>(block.min_ts_ms) - static_cast<uint64_t>(block.span.begin_ms));
    PutVarint(&out, static_cast<uint64_t>(block.max_ts_ms) - static_cast<uint64_t>(block.min_ts_ms));
  }
  return out;
}

std::string EncodeLabels(const MetricPackDirectory& directory) {
  std::string out;
  std::string_view before;
  for (uint32_t s = 0; s < directory.series_count(); ++s) {
    const std::string_view labels = directory.LabelsOf(s);
    const auto shared = static_cast<size_t>(
        std::mismatch(labels.begin(), labels.end(), before.begin(), before.end()).first - labels.begin());
    PutVarint(&out, shared);
    PutLengthPrefixed(&out, labels.substr(shared));
    before = labels;
  }
  return out;
}

Status ReadSeries(ByteReader* reader, MetricPackDirectory* out) {
  const uint64_t tenants = reader->Varint();
  if (!reader->ok() || tenants > kMetricPackTenantsMax || tenants > reader->remaining()) {
    return Bad("impossible number of tenants");
  }
  uint64_t series = 0;
  for (uint64_t t = 0; t < tenants; ++t) {
    std::string name(reader->LengthPrefixed());
    const uint64_t count = reader->Varint();
    if (!reader->ok() || count == 0 || count > kMetricPackSeriesMax - series ||
        (t != 0 && name <= out->tenants.back())) {
      return Bad("bad tenant " + std::to_string(t));
    }
    series += count;
    out->tenants.push_back(std::move(name));
    out->tenant_ends.push_back(static_cast<uint32_t>(series));
  }
  const std::string_view fingerprints = reader->Bytes(series * sizeof(uint64_t));
  if (!reader->ok()) return Bad("fingerprints are cut short");
  out->fingerprints.resize(series);
  if (series != 0) std::memcpy(out->fingerprints.data(), fingerprints.data(), fingerprints.size());
  return Status::Ok();
}

bool ReadTimelines(ByteReader* reader, MetricPackBlock* block) {
  const uint64_t first = reader->Varint();
  const uint64_t count = reader->Varint();
  if (!reader->ok() || count == 0 || count > kTimelinesMax || first > UINT32_MAX - count) return false;
  block->first_timeline = static_cast<uint32_t>(first);
  block->timeline_count = static_cast<uint32_t>(count);
  return true;
}

bool ReadChunks(ByteReader* reader, const MetricPackDirectory& directory, MetricPackBlock* block) {
  const uint64_t first = reader->Varint();
  const uint64_t more = reader->Varint();
  const uint64_t chunks = reader->Varint();
  block->floats = reader->Varint();
  block->histograms = reader->Varint();
  const uint64_t min_offset = reader->Varint();
  const uint64_t duration = reader->Varint();
  constexpr uint64_t kSamplesMax = uint64_t{1} << 40;
  if (!reader->ok() || first >= directory.series_count() || more >= directory.series_count() - first ||
      chunks == 0 || chunks > UINT32_MAX || block->floats > kSamplesMax || block->histograms > kSamplesMax ||
      block->floats + block->histograms < chunks || min_offset >= block->span.length_ms ||
      duration >= block->span.length_ms - min_offset) {
    return false;
  }
  block->first_series = static_cast<uint32_t>(first);
  block->last_series = static_cast<uint32_t>(first + more);
  block->chunk_count = static_cast<uint32_t>(chunks);
  block->min_ts_ms = block->span.begin_ms + static_cast<int64_t>(min_offset);
  block->max_ts_ms = block->min_ts_ms + static_cast<int64_t>(duration);
  return directory.TenantOf(block->first_series) == directory.TenantOf(block->last_series);
}

Status ReadBlocks(ByteReader* reader, MetricPackDirectory* out) {
  const uint64_t count = reader->Varint();
  if (!reader->ok() || count > kMetricPackBlocksMax || count > reader->remaining()) {
    return Bad("impossible number of blocks");
  }
  out->blocks.reserve(count);
  int64_t unit = 0;
  for (uint64_t b = 0; b < count; ++b) {
    MetricPackBlock block;
    const unsigned kind = reader->Fixed<uint8_t>();
    const unsigned halvings = reader->Fixed<uint8_t>();
    unit = static_cast<int64_t>(static_cast<uint64_t>(unit) + static_cast<uint64_t>(reader->SignedVarint()));
    const uint64_t bytes = reader->Varint();
    bool good = reader->ok() && kind <= 1 && halvings <= kMetricSpanHalvingsMax && unit >= kUnitMin &&
                unit <= kUnitMax && bytes <= kMetricBlockBytesMax;
    if (good) {
      block.kind = static_cast<MetricBlockKind>(kind);
      block.span = {.begin_ms = unit * kSpanUnitMs, .length_ms = kMetricSpanMs >> halvings};
      block.encoded_bytes = static_cast<uint32_t>(bytes);
      good = IsMetricSpan(block.span) &&
             (kind == 0 ? ReadTimelines(reader, &block) : ReadChunks(reader, *out, &block));
    }
    if (!good) return Bad("bad block " + std::to_string(b));
    out->blocks.push_back(block);
  }
  return reader->AtEnd() ? Status::Ok() : Bad("bytes after the last block");
}

// Orders and totals, and that blocks of a span do not overlap.
Status FinishBlocks(MetricPackDirectory* directory) {
  const std::vector<MetricPackBlock>& blocks = directory->blocks;
  directory->chunk_order.clear();
  directory->timeline_order.clear();
  directory->floats = directory->histograms = directory->encoded_bytes = 0;
  for (uint32_t b = 0; b < blocks.size(); ++b) {
    directory->encoded_bytes += blocks[b].encoded_bytes;
    if (blocks[b].kind == MetricBlockKind::kTimelines) {
      directory->timeline_order.push_back(b);
      continue;
    }
    const bool first = directory->chunk_order.empty();
    directory->min_ts_ms = first ? blocks[b].min_ts_ms : std::min(directory->min_ts_ms, blocks[b].min_ts_ms);
    directory->max_ts_ms = first ? blocks[b].max_ts_ms : std::max(directory->max_ts_ms, blocks[b].max_ts_ms);
    directory->chunk_order.push_back(b);
    directory->floats += blocks[b].floats;
    directory->histograms += blocks[b].histograms;
  }
  auto& chunks = directory->chunk_order;
  std::stable_sort(chunks.begin(), chunks.end(),
                   [&](uint32_t a, uint32_t b) { return ChunkPlace(blocks[a]) < ChunkPlace(blocks[b]); });
  for (size_t i = 1; i < chunks.size(); ++i) {
    const MetricPackBlock& before = blocks[chunks[i - 1]];
    const MetricPackBlock& next = blocks[chunks[i]];
    if (before.span == next.span && next.first_series < before.last_series) {
      return Bad("blocks " + std::to_string(chunks[i - 1]) + " and " + std::to_string(chunks[i]) +
                 " overlap");
    }
  }
  auto& timelines = directory->timeline_order;
  std::stable_sort(timelines.begin(), timelines.end(), [&](uint32_t a, uint32_t b) {
    return TimelinePlace(blocks[a]) < TimelinePlace(blocks[b]);
  });
  for (size_t i = 1; i < timelines.size(); ++i) {
    const MetricPackBlock& before = blocks[timelines[i - 1]];
    const MetricPackBlock& next = blocks[timelines[i]];
    if (before.span == next.span && next.first_timeline - before.first_timeline < before.timeline_count) {
      return Bad("blocks " + std::to_string(timelines[i - 1]) + " and " + std::to_string(timelines[i]) +
                 " overlap");
    }
  }
  return Status::Ok();
}

Status ReadLabels(std::string encoded, MetricPackDirectory* out) {
  MetricLabelReader reader(std::move(encoded));
  out->label_ends.reserve(out->series_count());
  for (uint32_t s = 0; s < out->series_count(); ++s) {
    if (!reader.Next() || reader.labels().size() > kMetricPackLabelBytesMax - out->label_bytes.size()) {
      return Bad("bad labels of series " + std::to_string(s));
    }
    out->label_bytes.append(reader.labels());
    out->label_ends.push_back(static_cast<uint32_t>(out->label_bytes.size()));
  }
  return reader.AtEnd() ? Status::Ok() : Bad("bytes after the last labels");
}

// A part as stored, or why not.
Result<std::string> DecodePart(unsigned compression, std::string_view stored, uint32_t decoded_bytes) {
  if (decoded_bytes > kPartBytesMax) return Bad("header claims more than the limits");
  const auto form = static_cast<Compression>(compression);
  Status status = CheckDecodedSize(form, stored, decoded_bytes);
  if (!status.ok()) return Bad(status.message());
  std::string decoded(decoded_bytes, '\0');
  status = Decompress(form, stored, decoded.data(), decoded.size());
  if (!status.ok()) return Bad(status.message());
  return decoded;
}

}  // namespace

int32_t MetricBucketOf(int64_t ts_ms) {
  const int64_t day = ts_ms / kMetricBucketMs - (ts_ms % kMetricBucketMs < 0 ? 1 : 0);
  return static_cast<int32_t>(
      std::clamp<int64_t>(day, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()));
}

bool MetricSeriesLess(std::string_view canonical_a, std::string_view canonical_b) {
  const int order = NameIn(canonical_a).compare(NameIn(canonical_b));
  return order != 0 ? order < 0 : canonical_a < canonical_b;
}

uint32_t MetricPackDirectory::TenantOf(uint32_t series) const {
  return static_cast<uint32_t>(std::upper_bound(tenant_ends.begin(), tenant_ends.end(), series) -
                               tenant_ends.begin());
}

void MetricPackDirectory::FindChunks(uint32_t series, MetricRange range, std::vector<uint32_t>* found) const {
  auto at = chunk_order.begin();
  while (at != chunk_order.end()) {
    const MetricSpan span = blocks[*at].span;
    if (span.begin_ms > range.max_ms) return;
    // Blocks of one span stand together, ascending by series.
    const auto end = std::partition_point(at, chunk_order.end(), [&](uint32_t b) {
      return std::tie(blocks[b].span.begin_ms, blocks[b].span.length_ms) <=
             std::tie(span.begin_ms, span.length_ms);
    });
    if (span.last_ms() >= range.min_ms) {
      auto block = std::partition_point(at, end, [&](uint32_t b) { return blocks[b].last_series < series; });
      for (; block != end && blocks[*block].first_series <= series; ++block) {
        const MetricPackBlock& b = blocks[*block];
        if (b.min_ts_ms <= range.max_ms && b.max_ts_ms >= range.min_ms) found->push_back(*block);
      }
    }
    at = end;
  }
}

std::optional<uint32_t> MetricPackDirectory::TimelineBlockOf(const MetricSpan& span,
                                                             uint32_t timeline) const {
  const auto behind = std::partition_point(timeline_order.begin(), timeline_order.end(), [&](uint32_t b) {
    const MetricPackBlock& block = blocks[b];
    return std::tie(block.span.begin_ms, block.span.length_ms, block.first_timeline) <=
           std::tie(span.begin_ms, span.length_ms, timeline);
  });
  if (behind == timeline_order.begin()) return std::nullopt;
  const MetricPackBlock& block = blocks[*(behind - 1)];
  if (block.span != span || timeline - block.first_timeline >= block.timeline_count) return std::nullopt;
  return *(behind - 1);
}

int64_t MetricPackDirectory::MemoryBytes() const {
  size_t bytes =
      sizeof(*this) + fingerprints.capacity() * sizeof(uint64_t) + label_bytes.capacity() +
      (label_ends.capacity() + chunk_order.capacity() + timeline_order.capacity() + tenant_ends.capacity()) *
          sizeof(uint32_t) +
      blocks.capacity() * sizeof(MetricPackBlock);
  for (const std::string& tenant : tenants) bytes += sizeof(tenant) + tenant.capacity();
  return static_cast<int64_t>(bytes);
}

Status FinishMetricPackDirectory(MetricPackDirectory* directory) { return FinishBlocks(directory); }

void EncodeMetricPackDirectory(const MetricPackDirectory& directory, std::string* out) {
  const size_t start = out->size();
  const std::string core = EncodeCore(directory);
  const std::string labels = EncodeLabels(directory);
  std::string stored_core;
  std::string stored_labels;
  const Compression core_form = AppendCompressed(core, &stored_core);
  const Compression labels_form = AppendCompressed(labels, &stored_labels);
  PutFixed<uint32_t>(out, kMagic);
  PutFixed<uint8_t>(out, kVersion);
  PutFixed<uint8_t>(out, static_cast<uint8_t>(core_form));
  PutFixed<uint8_t>(out, static_cast<uint8_t>(labels_form));
  PutFixed<uint8_t>(out, 0);
  PutFixed<uint32_t>(out, static_cast<uint32_t>(stored_core.size()));
  PutFixed<uint32_t>(out, static_cast<uint32_t>(core.size()));
  PutFixed<uint32_t>(out, static_cast<uint32_t>(stored_labels.size()));
  PutFixed<uint32_t>(out, static_cast<uint32_t>(labels.size()));
  out->append(stored_core);
  out->append(stored_labels);
  PutFixed<uint64_t>(out, Checksum(std::string_view(*out).substr(start)));
}

namespace {

// The parts of a directory whose header and checksum are right.
struct Frame {
  unsigned core_form = 0;
  unsigned labels_form = 0;
  uint32_t core_decoded = 0;
  uint32_t labels_decoded = 0;
  std::string_view core;
  std::string_view labels;
};

Result<Frame> ParseFrame(std::string_view bytes) {
  ByteReader reader(bytes);
  Frame frame;
  const auto magic = reader.Fixed<uint32_t>();
  const unsigned version = reader.Fixed<uint8_t>();
  frame.core_form = reader.Fixed<uint8_t>();
  frame.labels_form = reader.Fixed<uint8_t>();
  const unsigned reserved = reader.Fixed<uint8_t>();
  const auto core_bytes = reader.Fixed<uint32_t>();
  frame.core_decoded = reader.Fixed<uint32_t>();
  const auto labels_bytes = reader.Fixed<uint32_t>();
  frame.labels_decoded = reader.Fixed<uint32_t>();
  if (!reader.ok()) return Bad("header ends at offset " + std::to_string(bytes.size()));
  if (magic != kMagic) return Bad("wrong magic at offset 0");
  if (version != kVersion) {
    return Bad("version " + std::to_string(version) + " at offset 4, this build reads " +
               std::to_string(kVersion));
  }
  const uint64_t end = uint64_t{kHeaderBytes} + core_bytes + labels_bytes;
  if (bytes.size() != end + kChecksumBytes) {
    return Bad("is " + std::to_string(bytes.size()) + " bytes, header says " +
               std::to_string(end + kChecksumBytes));
  }
  if (LoadFixed<uint64_t>(bytes.data() + end) != Checksum(bytes.substr(0, end))) {
    return Bad("checksum at offset " + std::to_string(end) + " does not match");
  }
  if (reserved != 0) return Bad("reserved byte at offset 7");
  frame.core = reader.Bytes(core_bytes);
  frame.labels = reader.Bytes(labels_bytes);
  return frame;
}

}  // namespace

Result<MetricPackDirectory> DecodeMetricPackDirectory(std::string_view bytes, MetricLabels labels) {
  VARVE_ASSIGN_OR_RETURN(const Frame frame, ParseFrame(bytes));
  MetricPackDirectory directory;
  {
    VARVE_ASSIGN_OR_RETURN(const std::string core,
                           DecodePart(frame.core_form, frame.core, frame.core_decoded));
    ByteReader core_reader(core);
    VARVE_RETURN_IF_ERROR(ReadSeries(&core_reader, &directory));
    VARVE_RETURN_IF_ERROR(ReadBlocks(&core_reader, &directory));
    VARVE_RETURN_IF_ERROR(FinishBlocks(&directory));
  }
  if (labels == MetricLabels::kSkip) return directory;
  VARVE_ASSIGN_OR_RETURN(std::string decoded,
                         DecodePart(frame.labels_form, frame.labels, frame.labels_decoded));
  VARVE_RETURN_IF_ERROR(ReadLabels(std::move(decoded), &directory));
  return directory;
}

Result<MetricLabelReader> MetricLabelReader::Open(std::string_view directory) {
  VARVE_ASSIGN_OR_RETURN(const Frame frame, ParseFrame(directory));
  VARVE_ASSIGN_OR_RETURN(std::string decoded,
                         DecodePart(frame.labels_form, frame.labels, frame.labels_decoded));
  return MetricLabelReader(std::move(decoded));
}

bool MetricLabelReader::Next() {
  ByteReader reader(std::string_view(*encoded_).substr(offset_));
  const uint64_t shared = reader.Varint();
  const std::string_view more = reader.LengthPrefixed();
  if (!reader.ok() || shared > labels_.size() || more.size() > kMetricPackLabelBytesMax - shared)
    return false;
  offset_ = encoded_->size() - reader.remaining();
  labels_.resize(shared);
  labels_.append(more);
  return true;
}

Result<MetricPackDirectory> ReadMetricPackDirectory(const PackStore& store, const PackId& id,
                                                    MetricLabels labels) {
  VARVE_ASSIGN_OR_RETURN(const PackBytes bytes, store.ReadBlock(id, kPackDirectoryBlock));
  auto directory = DecodeMetricPackDirectory(bytes.view, labels);
  if (!directory.ok()) return std::move(directory).status().WithContext(id.ToString());
  return directory;
}

}  // namespace varve
