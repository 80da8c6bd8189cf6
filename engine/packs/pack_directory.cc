#include "engine/packs/pack_directory.h"

#include <algorithm>
#include <limits>

#include "engine/base/bytes.h"
#include "engine/codec/checksum.h"
#include "engine/codec/compress.h"

namespace varve {

namespace {

constexpr uint32_t kMagic = 0x31445056;  // "VPD1"
constexpr uint8_t kVersion = 1;
constexpr size_t kHeaderBytes = 16;
constexpr size_t kChecksumBytes = 8;

Status Bad(std::string what) { return Corruption("pack directory: " + std::move(what)); }

std::string EncodePayload(const PackDirectory& directory) {
  std::string out;
  PutVarint(&out, directory.tenants.size());
  for (const std::string& name : directory.tenants) PutLengthPrefixed(&out, name);
  PutVarint(&out, directory.streams.size());
  for (const PackStream& stream : directory.streams) {
    PutFixed(&out, stream.fingerprint);
    PutVarint(&out, stream.tenant);
    PutLengthPrefixed(&out, stream.canonical_labels);
  }
  PutVarint(&out, directory.blocks.size());
  int64_t last_stream = 0;
  for (const PackBlock& block : directory.blocks) {
    PutVarint(&out, block.tenant);
    PutVarint(&out, block.encoded_bytes);
    PutSignedVarint(&out, block.min_ts_ns);
    PutVarint(&out, block.range_count);
    for (const PackRowRange& range : directory.RangesOf(block)) {
      PutSignedVarint(&out, static_cast<int64_t>(range.stream) - last_stream);
      PutVarint(&out, range.row_count);
      PutVarint(&out, range.line_bytes);
      PutVarint(&out, static_cast<uint64_t>(range.min_ts_ns) - static_cast<uint64_t>(block.min_ts_ns));
      PutVarint(&out, static_cast<uint64_t>(range.max_ts_ns) - static_cast<uint64_t>(range.min_ts_ns));
      last_stream = range.stream;
    }
  }
  return out;
}

// `base + offset` when that is an int64.
bool AddToTimestamp(int64_t base, uint64_t offset, int64_t* out) {
  *out = static_cast<int64_t>(static_cast<uint64_t>(base) + offset);
  return offset <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) - static_cast<uint64_t>(base);
}

Status ReadStreams(ByteReader* reader, PackDirectory* out) {
  const uint64_t tenant_count = reader->Varint();
  // Each takes at least one byte, so what is there bounds what is allocated.
  if (!reader->ok() || tenant_count > reader->remaining()) return Bad("impossible number of tenants");
  for (uint64_t t = 0; t < tenant_count; ++t) out->tenants.emplace_back(reader->LengthPrefixed());
  const uint64_t stream_count = reader->Varint();
  if (!reader->ok() || stream_count > kPackStreamsMax || stream_count > reader->remaining()) {
    return Bad("impossible number of streams");
  }
  out->streams.reserve(stream_count);
  for (uint64_t s = 0; s < stream_count; ++s) {
    PackStream stream;
    stream.fingerprint = reader->Fixed<uint64_t>();
    const uint64_t tenant = reader->Varint();
    stream.canonical_labels = reader->LengthPrefixed();
    if (!reader->ok() || tenant >= tenant_count) return Bad("bad stream " + std::to_string(s));
    stream.tenant = static_cast<uint32_t>(tenant);
    out->streams.push_back(std::move(stream));
  }
  return Status::Ok();
}

// Reads the next range of `block`, which the counts of `block` grow by.
bool ReadRange(ByteReader* reader, const PackDirectory& directory, int64_t last_stream, PackBlock* block,
               PackRowRange* range) {
  const uint64_t stream = static_cast<uint64_t>(last_stream) + static_cast<uint64_t>(reader->SignedVarint());
  const uint64_t row_count = reader->Varint();
  const uint64_t line_bytes = reader->Varint();
  const uint64_t min_offset = reader->Varint();
  const uint64_t span = reader->Varint();
  constexpr uint64_t kCountMax = std::numeric_limits<uint32_t>::max();
  if (!reader->ok() || stream >= directory.streams.size() ||
      directory.streams[stream].tenant != block->tenant) {
    return false;
  }
  if (row_count == 0 || row_count > kCountMax - block->row_count ||
      line_bytes > kCountMax - block->line_bytes) {
    return false;
  }
  range->stream = static_cast<uint32_t>(stream);
  range->row_begin = block->row_count;
  range->row_count = static_cast<uint32_t>(row_count);
  range->line_bytes = static_cast<uint32_t>(line_bytes);
  if (!AddToTimestamp(block->min_ts_ns, min_offset, &range->min_ts_ns) ||
      !AddToTimestamp(range->min_ts_ns, span, &range->max_ts_ns)) {
    return false;
  }
  block->row_count += range->row_count;
  block->line_bytes += range->line_bytes;
  block->max_ts_ns = std::max(block->max_ts_ns, range->max_ts_ns);
  return true;
}

Status ReadBlock(ByteReader* reader, PackDirectory* out) {
  const std::string name = "block " + std::to_string(out->blocks.size());
  PackBlock block;
  const uint64_t tenant = reader->Varint();
  const uint64_t encoded_bytes = reader->Varint();
  block.min_ts_ns = block.max_ts_ns = reader->SignedVarint();
  const uint64_t range_count = reader->Varint();
  if (!reader->ok() || tenant >= out->tenants.size() ||
      encoded_bytes > std::numeric_limits<uint32_t>::max() || range_count == 0 ||
      range_count > reader->remaining() || range_count > kPackRangesMax - out->ranges.size()) {
    return Bad("bad " + name);
  }
  block.tenant = static_cast<uint32_t>(tenant);
  block.encoded_bytes = static_cast<uint32_t>(encoded_bytes);
  block.range_begin = static_cast<uint32_t>(out->ranges.size());
  block.range_count = static_cast<uint32_t>(range_count);
  bool has_least = false;
  for (uint64_t r = 0; r < range_count; ++r) {
    const int64_t last_stream = out->ranges.empty() ? 0 : out->ranges.back().stream;
    PackRowRange range;
    if (!ReadRange(reader, *out, last_stream, &block, &range)) return Bad("bad range in " + name);
    has_least |= range.min_ts_ns == block.min_ts_ns;
    out->ranges.push_back(range);
  }
  if (!has_least) return Bad("no range has the least timestamp of " + name);
  out->blocks.push_back(block);
  return Status::Ok();
}

void AddTotals(PackDirectory* directory) {
  for (const PackBlock& block : directory->blocks) {
    const bool first = &block == &directory->blocks.front();
    directory->row_count += block.row_count;
    directory->line_bytes += block.line_bytes;
    directory->encoded_bytes += block.encoded_bytes;
    directory->min_ts_ns = first ? block.min_ts_ns : std::min(directory->min_ts_ns, block.min_ts_ns);
    directory->max_ts_ns = first ? block.max_ts_ns : std::max(directory->max_ts_ns, block.max_ts_ns);
  }
}

Result<PackDirectory> DecodePayload(std::string_view payload) {
  PackDirectory directory;
  ByteReader reader(payload);
  VARVE_RETURN_IF_ERROR(ReadStreams(&reader, &directory));
  const uint64_t block_count = reader.Varint();
  if (!reader.ok() || block_count > kPackBlocksMax || block_count > reader.remaining()) {
    return Bad("impossible number of blocks");
  }
  directory.blocks.reserve(block_count);
  for (uint64_t b = 0; b < block_count; ++b) VARVE_RETURN_IF_ERROR(ReadBlock(&reader, &directory));
  if (!reader.AtEnd()) return Bad("bytes after the last block");
  AddTotals(&directory);
  return directory;
}

}  // namespace

void EncodePackDirectory(const PackDirectory& directory, std::string* out) {
  const size_t start = out->size();
  const std::string payload = EncodePayload(directory);
  std::string stored;
  const Compression compression = AppendCompressed(payload, &stored);
  PutFixed<uint32_t>(out, kMagic);
  PutFixed<uint8_t>(out, kVersion);
  PutFixed<uint8_t>(out, static_cast<uint8_t>(compression));
  PutFixed<uint16_t>(out, 0);
  PutFixed<uint32_t>(out, static_cast<uint32_t>(stored.size()));
  PutFixed<uint32_t>(out, static_cast<uint32_t>(payload.size()));
  out->append(stored);
  PutFixed<uint64_t>(out, Checksum(std::string_view(*out).substr(start)));
}

Result<PackDirectory> DecodePackDirectory(std::string_view bytes) {
  ByteReader reader(bytes);
  const auto magic = reader.Fixed<uint32_t>();
  const unsigned version = reader.Fixed<uint8_t>();
  const auto compression = static_cast<Compression>(reader.Fixed<uint8_t>());
  const auto reserved = reader.Fixed<uint16_t>();
  const auto stored_bytes = reader.Fixed<uint32_t>();
  const auto decoded_bytes = reader.Fixed<uint32_t>();
  if (!reader.ok()) return Bad("header ends at offset " + std::to_string(bytes.size()));
  if (magic != kMagic) return Bad("wrong magic at offset 0");
  if (version != kVersion) {
    return Bad("version " + std::to_string(version) + " at offset 4, this build reads " +
               std::to_string(kVersion));
  }
  if (bytes.size() != kHeaderBytes + stored_bytes + kChecksumBytes) {
    return Bad("is " + std::to_string(bytes.size()) + " bytes, header says " +
               std::to_string(kHeaderBytes + stored_bytes + kChecksumBytes));
  }
  const std::string_view stored = reader.Bytes(stored_bytes);
  if (reader.Fixed<uint64_t>() != Checksum(bytes.substr(0, kHeaderBytes + stored_bytes))) {
    return Bad("checksum at offset " + std::to_string(kHeaderBytes + stored_bytes) + " does not match");
  }
  if (reserved != 0 || decoded_bytes > kPackDirectoryBytesMax) {
    return Bad("header claims more than the limits");
  }
  Status status = CheckDecodedSize(compression, stored, decoded_bytes);
  if (!status.ok()) return Bad(status.message());
  std::string payload(decoded_bytes, '\0');
  status = Decompress(compression, stored, payload.data(), payload.size());
  if (!status.ok()) return Bad(status.message());
  return DecodePayload(payload);
}

}  // namespace varve
