#include "engine/codec/log_block_builder.h"

#include "engine/codec/checksum.h"

namespace varve {

void LogBlockBuilder::StartStream(uint64_t fingerprint) {
  if (!streams_.empty() && streams_.back().row_count == 0) streams_.pop_back();
  streams_.push_back({fingerprint, 0});
}

Status LogBlockBuilder::Add(int64_t ts_ns, std::string_view line, std::string_view metadata) {
  VARVE_CHECK(!streams_.empty());
  if (columns_.row_count == kLogBlockRowsMax || line.size() > kLogBlockLineBytesMax - columns_.lines.size()) {
    return TooLarge("log block: no room for a line of " + std::to_string(line.size()) + " bytes");
  }
  VARVE_ASSIGN_OR_RETURN(const uint32_t code, MetadataCode(metadata));
  if (columns_.row_count == 0) columns_.line_offsets.push_back(0);
  columns_.timestamps_ns.push_back(ts_ns);
  columns_.lines.insert(columns_.lines.end(), line.begin(), line.end());
  columns_.line_offsets.push_back(static_cast<uint32_t>(columns_.lines.size()));
  columns_.metadata_codes.push_back(code);
  raw_metadata_bytes_ += metadata.size();
  ++columns_.row_count;
  ++streams_.back().row_count;
  return Status::Ok();
}

// Neighbours mostly have the same metadata; otherwise the hash finds the set.
Result<uint32_t> LogBlockBuilder::MetadataCode(std::string_view metadata) {
  const auto set = [this](uint32_t code) {
    return std::string_view(columns_.metadata_bytes.data() + sets_[code].offset, sets_[code].size);
  };
  if (!sets_.empty() && set(last_code_) == metadata) return last_code_;
  const uint64_t hash = Checksum(metadata);
  const auto [begin, end] = set_by_hash_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (set(it->second) == metadata) return last_code_ = it->second;
  }
  if (metadata.size() > kLogBlockMetadataBytesMax - columns_.metadata_bytes.size()) {
    return TooLarge("log block: no room for " + std::to_string(metadata.size()) + " bytes of metadata");
  }
  last_code_ = static_cast<uint32_t>(sets_.size());
  sets_.push_back(
      {static_cast<uint32_t>(columns_.metadata_bytes.size()), static_cast<uint32_t>(metadata.size())});
  columns_.metadata_bytes.insert(columns_.metadata_bytes.end(), metadata.begin(), metadata.end());
  set_by_hash_.emplace(hash, last_code_);
  return last_code_;
}

Status LogBlockBuilder::Encode(std::string* out) {
  if (!streams_.empty() && streams_.back().row_count == 0) streams_.pop_back();
  columns_.metadata_sets.clear();
  for (const Span& span : sets_) {
    columns_.metadata_sets.emplace_back(columns_.metadata_bytes.data() + span.offset, span.size);
  }
  return EncodeLogBlock(columns_, streams_, out);
}

void LogBlockBuilder::Clear() {
  columns_.row_count = 0;
  columns_.timestamps_ns.clear();
  columns_.line_offsets.clear();
  columns_.lines.clear();
  columns_.metadata_codes.clear();
  columns_.metadata_sets.clear();
  columns_.metadata_bytes.clear();
  streams_.clear();
  sets_.clear();
  set_by_hash_.clear();
  last_code_ = 0;
  raw_metadata_bytes_ = 0;
}

}  // namespace varve
