#include "engine/codec/log_block.h"

#include <algorithm>
#include <optional>

#include "engine/base/bytes.h"
#include "engine/codec/checksum.h"
#include "engine/codec/compress.h"
#include "engine/codec/integers.h"
#include "engine/codec/metadata_column.h"
#include "engine/codec/timestamps.h"

namespace varve {

namespace {

constexpr uint32_t kMagic = 0x31424C56;  // "VLB1"
constexpr uint8_t kVersion = 1;
constexpr size_t kHeaderBytes = 40;
constexpr size_t kSectionEntryBytes = 24;
constexpr size_t kChecksumBytes = 8;
constexpr size_t kSectionsMin = 4;
constexpr size_t kSectionsMax = 16;
constexpr uint8_t kFirstOptionalKind = 128;

enum SectionKind : uint8_t {
  kStreamsSection = 1,
  kTimestampsSection,
  kLengthsSection,
  kLinesSection,
  kMetadataSection
};
constexpr uint8_t kLastKnownKind = kMetadataSection;

const char* SectionName(uint8_t kind) {
  switch (kind) {
    case kStreamsSection: return "STREAMS";
    case kTimestampsSection: return "TIMESTAMPS";
    case kLengthsSection: return "LENGTHS";
    case kLinesSection: return "LINES";
    case kMetadataSection: return "METADATA";
    default: return "unknown";
  }
}

struct Section {
  uint8_t kind = 0;
  Compression compression = Compression::kNone;
  uint32_t offset = 0;
  uint32_t stored_bytes = 0;
  uint32_t decoded_bytes = 0;
  uint64_t checksum = 0;
};

Status BadBlock(std::string what) { return Corruption("log block: " + std::move(what)); }

Status BadSection(const Section& section, std::string_view what) {
  return Corruption("log block: section " + std::string(SectionName(section.kind)) + " at offset " +
                    std::to_string(section.offset) + ": " + std::string(what));
}

// A block whose header and section entries have been checked.
struct ParsedBlock {
  std::string_view bytes;
  LogBlockHeader header;
  std::optional<Section> sections[kLastKnownKind + 1];  // by kind

  std::string_view Stored(const Section& section) const {
    return bytes.substr(section.offset, section.stored_bytes);
  }
};

// ---- Encoding ------------------------------------------------------------------------------------

// Appends a block to a string section by section; the header, whose size depends only on the number of
// sections, is filled in at the end.
class BlockWriter {
 public:
  BlockWriter(std::string* out, size_t section_count)
      : out_(out), start_(out->size()), checked_bytes_(kHeaderBytes + section_count * kSectionEntryBytes) {
    out_->resize(start_ + checked_bytes_ + kChecksumBytes);
    section_start_ = out_->size();
    sections_.reserve(section_count);
  }

  // What was appended to the string since the last section's end is a section.
  void EndSection(uint8_t kind, Compression compression, size_t decoded_bytes) {
    Section section;
    section.kind = kind;
    section.compression = compression;
    section.offset = static_cast<uint32_t>(section_start_ - start_);
    section.stored_bytes = static_cast<uint32_t>(out_->size() - section_start_);
    section.decoded_bytes = static_cast<uint32_t>(decoded_bytes);
    section.checksum = Checksum(std::string_view(*out_).substr(section_start_));
    sections_.push_back(section);
    section_start_ = out_->size();
  }
  void EndPlainSection(uint8_t kind) { EndSection(kind, Compression::kNone, out_->size() - section_start_); }

  void Finish(const LogBlockHeader& header) const {
    std::string head;
    PutFixed<uint32_t>(&head, kMagic);
    PutFixed<uint8_t>(&head, kVersion);
    PutFixed<uint8_t>(&head, static_cast<uint8_t>(header.codec));
    PutFixed<uint8_t>(&head, static_cast<uint8_t>(sections_.size()));
    PutFixed<uint8_t>(&head, 0);
    PutFixed<uint32_t>(&head, header.row_count);
    PutFixed<uint32_t>(&head, header.stream_count);
    PutFixed<uint32_t>(&head, header.line_bytes);
    PutFixed<uint32_t>(&head, static_cast<uint32_t>(out_->size() - start_));
    PutFixed<int64_t>(&head, header.min_ts_ns);
    PutFixed<int64_t>(&head, header.max_ts_ns);
    for (const Section& section : sections_) {
      PutFixed<uint8_t>(&head, section.kind);
      PutFixed<uint8_t>(&head, static_cast<uint8_t>(section.compression));
      PutFixed<uint16_t>(&head, 0);
      PutFixed<uint32_t>(&head, section.offset);
      PutFixed<uint32_t>(&head, section.stored_bytes);
      PutFixed<uint32_t>(&head, section.decoded_bytes);
      PutFixed<uint64_t>(&head, section.checksum);
    }
    VARVE_CHECK(head.size() == checked_bytes_);
    PutFixed<uint64_t>(&head, Checksum(head));
    out_->replace(start_, head.size(), head);
  }

 private:
  std::string* const out_;
  const size_t start_;
  const size_t checked_bytes_;
  size_t section_start_ = 0;
  std::vector<Section> sections_;
};

Status CheckInput(const LogColumns& columns, std::span<const LogBlockStream> streams) {
  if (columns.row_count > kLogBlockRowsMax) return TooLarge("log block: too many rows");
  uint64_t rows = 0;
  for (const LogBlockStream& stream : streams) {
    VARVE_CHECK(stream.row_count != 0);
    rows += stream.row_count;
  }
  VARVE_CHECK(rows == columns.row_count && columns.timestamps_ns.size() == rows);
  VARVE_CHECK(rows == 0 || columns.line_offsets.size() == rows + 1);
  VARVE_CHECK(columns.metadata_codes.empty() || columns.metadata_codes.size() == rows);
  if (rows != 0 && columns.line_offsets.back() > kLogBlockLineBytesMax) {
    return TooLarge("log block: too many bytes of lines");
  }
  uint64_t set_bytes = 0;
  for (const std::string_view set : columns.metadata_sets) set_bytes += set.size();
  if (set_bytes > kLogBlockMetadataBytesMax) return TooLarge("log block: too many bytes of metadata");
  return Status::Ok();
}

void WriteBlock(const LogColumns& columns, std::span<const LogBlockStream> streams,
                const LogBlockHeader& header, std::string* out) {
  std::string metadata;
  if (!columns.metadata_codes.empty()) {
    EncodeMetadataColumn(columns.metadata_codes, columns.metadata_sets, &metadata);
  }
  BlockWriter writer(out, metadata.empty() ? kSectionsMin : kSectionsMin + 1);

  for (const LogBlockStream& stream : streams) {
    PutFixed(out, stream.fingerprint);
    PutVarint(out, stream.row_count);
  }
  writer.EndPlainSection(kStreamsSection);

  EncodeTimestamps(columns.timestamps_ns, streams, header.min_ts_ns, out);
  writer.EndPlainSection(kTimestampsSection);

  std::vector<uint64_t> lengths(columns.row_count);
  for (uint32_t row = 0; row < columns.row_count; ++row) lengths[row] = columns.LineLength(row);
  EncodeIntegers(lengths, out);
  writer.EndPlainSection(kLengthsSection);

  const Compression compression = AppendCompressed({columns.lines.data(), header.line_bytes}, out);
  writer.EndSection(kLinesSection, compression, header.line_bytes);

  if (!metadata.empty()) {
    out->append(metadata);
    writer.EndPlainSection(kMetadataSection);
  }
  writer.Finish(header);
}

// ---- Decoding ------------------------------------------------------------------------------------

Status ReadHeader(ByteReader* reader, size_t block_bytes, size_t* section_count, LogBlockHeader* header) {
  if (reader->Fixed<uint32_t>() != kMagic) return BadBlock("wrong magic at offset 0");
  const unsigned version = reader->Fixed<uint8_t>();
  if (version != kVersion) {
    return BadBlock("version " + std::to_string(version) + " at offset 4, this build reads " +
                    std::to_string(kVersion));
  }
  const unsigned codec = reader->Fixed<uint8_t>();
  if (codec != static_cast<unsigned>(LogBlockCodec::kRaw)) {
    return BadBlock("codec " + std::to_string(codec) + " at offset 5, this build reads 0 (RAW)");
  }
  *section_count = reader->Fixed<uint8_t>();
  const unsigned reserved = reader->Fixed<uint8_t>();
  header->row_count = reader->Fixed<uint32_t>();
  header->stream_count = reader->Fixed<uint32_t>();
  header->line_bytes = reader->Fixed<uint32_t>();
  const uint32_t declared_bytes = reader->Fixed<uint32_t>();
  header->min_ts_ns = reader->Fixed<int64_t>();
  header->max_ts_ns = reader->Fixed<int64_t>();
  if (!reader->ok()) return BadBlock("header ends at offset " + std::to_string(block_bytes));
  if (declared_bytes != block_bytes) {
    return BadBlock("is " + std::to_string(block_bytes) + " bytes, header says " +
                    std::to_string(declared_bytes));
  }
  if (*section_count < kSectionsMin || *section_count > kSectionsMax || reserved != 0) {
    return BadBlock("bad section count or reserved byte at offset 6");
  }
  if (header->row_count > kLogBlockRowsMax || header->stream_count > header->row_count ||
      header->line_bytes > kLogBlockLineBytesMax || header->min_ts_ns > header->max_ts_ns) {
    return BadBlock("header claims more than the limits at offset 8");
  }
  return Status::Ok();
}

Status CheckSection(const Section& section, uint16_t reserved, size_t expected_offset, size_t block_bytes) {
  if (reserved != 0 || section.offset != expected_offset ||
      section.stored_bytes > block_bytes - section.offset) {
    return BadSection(section, "does not lie inside the block");
  }
  if (static_cast<uint8_t>(section.compression) > static_cast<uint8_t>(Compression::kZstd)) {
    return BadSection(section,
                      "unknown compression " + std::to_string(static_cast<int>(section.compression)));
  }
  // Only lines are compressed as a whole; columns compress inside, where their sizes are known.
  if (section.kind != kLinesSection && section.kind < kFirstOptionalKind &&
      (section.compression != Compression::kNone || section.decoded_bytes != section.stored_bytes)) {
    return BadSection(section, "may not be compressed as a whole");
  }
  if (section.kind == 0 || (section.kind > kLastKnownKind && section.kind < kFirstOptionalKind)) {
    return BadSection(section, "unknown kind " + std::to_string(section.kind));
  }
  return Status::Ok();
}

Result<ParsedBlock> Parse(std::string_view bytes) {
  ParsedBlock block;
  block.bytes = bytes;
  ByteReader reader(bytes);
  size_t section_count = 0;
  VARVE_RETURN_IF_ERROR(ReadHeader(&reader, bytes.size(), &section_count, &block.header));
  const size_t checked_bytes = kHeaderBytes + section_count * kSectionEntryBytes;
  const std::string_view entries = reader.Bytes(section_count * kSectionEntryBytes);
  const uint64_t checksum = reader.Fixed<uint64_t>();
  if (!reader.ok()) return BadBlock("section entries end at offset " + std::to_string(bytes.size()));
  if (checksum != Checksum(bytes.substr(0, checked_bytes))) {
    return BadBlock("header checksum at offset " + std::to_string(checked_bytes) + " does not match");
  }
  ByteReader entry(entries);
  size_t offset = checked_bytes + kChecksumBytes;
  for (size_t i = 0; i < section_count; ++i) {
    Section section;
    section.kind = entry.Fixed<uint8_t>();
    section.compression = static_cast<Compression>(entry.Fixed<uint8_t>());
    const auto reserved = entry.Fixed<uint16_t>();
    section.offset = entry.Fixed<uint32_t>();
    section.stored_bytes = entry.Fixed<uint32_t>();
    section.decoded_bytes = entry.Fixed<uint32_t>();
    section.checksum = entry.Fixed<uint64_t>();
    VARVE_RETURN_IF_ERROR(CheckSection(section, reserved, offset, bytes.size()));
    offset += section.stored_bytes;
    if (section.kind >= kFirstOptionalKind) continue;
    if (block.sections[section.kind].has_value()) return BadSection(section, "occurs twice");
    block.sections[section.kind] = section;
  }
  if (offset != bytes.size()) {
    return BadBlock("bytes after the last section at offset " + std::to_string(offset));
  }
  for (const uint8_t kind : {kStreamsSection, kTimestampsSection, kLengthsSection, kLinesSection}) {
    if (!block.sections[kind].has_value()) {
      return BadBlock(std::string("section ") + SectionName(kind) + " is missing");
    }
  }
  const Section& lines = *block.sections[kLinesSection];
  if (lines.decoded_bytes != block.header.line_bytes) {
    return BadSection(lines, "decoded size differs from the header's");
  }
  return block;
}

// The section's stored bytes, once their checksum is verified.
Result<std::string_view> ReadSection(const ParsedBlock& block, SectionKind kind) {
  const Section& section = *block.sections[kind];
  const std::string_view stored = block.Stored(section);
  if (Checksum(stored) != section.checksum) return BadSection(section, "checksum does not match");
  return stored;
}

Result<std::vector<LogBlockStream>> ReadStreams(const ParsedBlock& block) {
  VARVE_ASSIGN_OR_RETURN(const std::string_view stored, ReadSection(block, kStreamsSection));
  const Section& section = *block.sections[kStreamsSection];
  ByteReader reader(stored);
  std::vector<LogBlockStream> streams;
  streams.reserve(std::min<size_t>(block.header.stream_count, stored.size() / 9));
  uint64_t rows = 0;
  for (uint32_t s = 0; s < block.header.stream_count; ++s) {
    const uint64_t fingerprint = reader.Fixed<uint64_t>();
    const uint64_t row_count = reader.Varint();
    if (!reader.ok() || row_count == 0 || row_count > block.header.row_count - rows) {
      return BadSection(section, "bad stream " + std::to_string(s));
    }
    rows += row_count;
    streams.push_back({fingerprint, static_cast<uint32_t>(row_count)});
  }
  if (!reader.AtEnd() || rows != block.header.row_count) return BadSection(section, "rows do not add up");
  return streams;
}

Status ReadTimestamps(const ParsedBlock& block, std::span<const LogBlockStream> streams, LogColumns* out) {
  VARVE_ASSIGN_OR_RETURN(const std::string_view stored, ReadSection(block, kTimestampsSection));
  ByteReader reader(stored);
  out->timestamps_ns.resize(block.header.row_count);
  if (!DecodeTimestamps(&reader, streams, block.header.min_ts_ns, out->timestamps_ns)) {
    return BadSection(*block.sections[kTimestampsSection], "malformed");
  }
  return Status::Ok();
}

Status ReadLengths(const ParsedBlock& block, LogColumns* out) {
  VARVE_ASSIGN_OR_RETURN(const std::string_view stored, ReadSection(block, kLengthsSection));
  const Section& section = *block.sections[kLengthsSection];
  ByteReader reader(stored);
  std::vector<uint64_t> lengths(block.header.row_count);
  if (!DecodeIntegers(&reader, lengths) || !reader.AtEnd()) return BadSection(section, "malformed");
  out->line_offsets.resize(lengths.size() + 1);
  uint64_t offset = 0;
  out->line_offsets[0] = 0;
  for (size_t row = 0; row < lengths.size(); ++row) {
    if (lengths[row] > block.header.line_bytes - offset) {
      return BadSection(section, "lengths exceed the lines");
    }
    offset += lengths[row];
    out->line_offsets[row + 1] = static_cast<uint32_t>(offset);
  }
  if (offset != block.header.line_bytes) return BadSection(section, "lengths fall short of the lines");
  return Status::Ok();
}

Status ReadLines(const ParsedBlock& block, LogColumns* out) {
  VARVE_ASSIGN_OR_RETURN(const std::string_view stored, ReadSection(block, kLinesSection));
  const Section& section = *block.sections[kLinesSection];
  Status status = CheckDecodedSize(section.compression, stored, block.header.line_bytes);
  if (status.ok()) {
    out->lines.resize(block.header.line_bytes + LogColumns::kLinePaddingBytes);
    status = Decompress(section.compression, stored, out->lines.data(), block.header.line_bytes);
  }
  return status.ok() ? Status::Ok() : BadSection(section, status.message());
}

Status ReadMetadata(const ParsedBlock& block, LogColumns* out) {
  if (!block.sections[kMetadataSection].has_value()) return Status::Ok();
  VARVE_ASSIGN_OR_RETURN(const std::string_view stored, ReadSection(block, kMetadataSection));
  const Status status = DecodeMetadataColumn(stored, out);
  return status.ok() ? Status::Ok() : BadSection(*block.sections[kMetadataSection], status.message());
}

Status DecodeParsed(const ParsedBlock& block, ColumnMask want, LogColumns* out) {
  *out = LogColumns();
  out->row_count = block.header.row_count;
  if ((want & kTimestamps) != 0) {
    VARVE_ASSIGN_OR_RETURN(const auto streams, ReadStreams(block));
    VARVE_RETURN_IF_ERROR(ReadTimestamps(block, streams, out));
  }
  if ((want & (kLengths | kLines)) != 0) VARVE_RETURN_IF_ERROR(ReadLengths(block, out));
  if ((want & kLines) != 0) VARVE_RETURN_IF_ERROR(ReadLines(block, out));
  if ((want & kMetadata) != 0) VARVE_RETURN_IF_ERROR(ReadMetadata(block, out));
  return Status::Ok();
}

}  // namespace

Status EncodeLogBlock(const LogColumns& columns, std::span<const LogBlockStream> streams, std::string* out) {
  VARVE_RETURN_IF_ERROR(CheckInput(columns, streams));
  LogBlockHeader header;
  header.row_count = columns.row_count;
  header.stream_count = static_cast<uint32_t>(streams.size());
  header.line_bytes = columns.row_count == 0 ? 0 : columns.line_offsets.back();
  if (columns.row_count != 0) {
    const auto [least, greatest] =
        std::minmax_element(columns.timestamps_ns.begin(), columns.timestamps_ns.end());
    header.min_ts_ns = *least;
    header.max_ts_ns = *greatest;
  }
  WriteBlock(columns, streams, header, out);
  return Status::Ok();
}

Result<LogBlockHeader> ReadLogBlockHeader(std::string_view block) {
  VARVE_ASSIGN_OR_RETURN(const ParsedBlock parsed, Parse(block));
  return parsed.header;
}

Status DecodeLogBlock(std::string_view block, ColumnMask want, LogColumns* out) {
  VARVE_ASSIGN_OR_RETURN(const ParsedBlock parsed, Parse(block));
  return DecodeParsed(parsed, want, out);
}

Result<std::vector<LogBlockStream>> DecodeLogBlockStreams(std::string_view block) {
  VARVE_ASSIGN_OR_RETURN(const ParsedBlock parsed, Parse(block));
  return ReadStreams(parsed);
}

Result<int64_t> LogBlockDecodedBytes(std::string_view block, ColumnMask want) {
  VARVE_ASSIGN_OR_RETURN(const ParsedBlock parsed, Parse(block));
  const int64_t rows = parsed.header.row_count;
  // Per row: the column itself plus the 8-byte integers it is decoded through.
  int64_t bytes = sizeof(LogColumns);
  if ((want & kTimestamps) != 0) bytes += rows * 16 + parsed.header.stream_count * int64_t{32};
  if ((want & (kLengths | kLines)) != 0) bytes += (rows + 1) * 12;
  if ((want & kLines) != 0) {
    bytes += parsed.header.line_bytes + static_cast<int64_t>(LogColumns::kLinePaddingBytes);
  }
  if ((want & kMetadata) != 0 && parsed.sections[kMetadataSection].has_value()) {
    VARVE_ASSIGN_OR_RETURN(const uint64_t rebuilt,
                           MetadataColumnRebuiltBytes(parsed.Stored(*parsed.sections[kMetadataSection])));
    bytes += 2 * static_cast<int64_t>(rebuilt) + rows * 48;
  }
  return bytes;
}

Status VerifyLogBlock(std::string_view block) {
  VARVE_ASSIGN_OR_RETURN(const ParsedBlock parsed, Parse(block));
  LogColumns columns;
  VARVE_RETURN_IF_ERROR(DecodeParsed(parsed, kTimestamps | kLines | kMetadata, &columns));
  VARVE_ASSIGN_OR_RETURN(const auto streams, ReadStreams(parsed));
  const Section& section = *parsed.sections[kTimestampsSection];
  size_t row = 0;
  for (const LogBlockStream& stream : streams) {
    const size_t begin = row;
    for (const size_t end = row + stream.row_count; row < end; ++row) {
      const int64_t ts = columns.timestamps_ns[row];
      if (ts < parsed.header.min_ts_ns || ts > parsed.header.max_ts_ns) {
        return BadSection(section, "row " + std::to_string(row) + " lies outside the header's span");
      }
      if (row > begin && ts < columns.timestamps_ns[row - 1]) {
        return BadSection(section, "row " + std::to_string(row) + " goes back in time");
      }
    }
  }
  return Status::Ok();
}

}  // namespace varve
