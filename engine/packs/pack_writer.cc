#include "engine/packs/pack_writer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/base/check.h"

namespace varve {

namespace {

// Bounds that a block's format can hold, whatever the options say.
PackWriterOptions WithinFormat(PackWriterOptions options) {
  options.block_rows = std::clamp<uint32_t>(options.block_rows, 1, kLogBlockRowsMax);
  options.block_bytes = std::min(options.block_bytes, kLogBlockLineBytesMax);
  return options;
}

}  // namespace

PackWriter::PackWriter(const PackWriterOptions& options, PendingPack* pending)
    : options_(WithinFormat(options)), pending_(pending) {}

Status PackWriter::AddStream(uint64_t fingerprint, std::string_view tenant, std::string_view canonical_labels,
                             uint64_t line_bytes) {
  const bool new_tenant = directory_.tenants.empty() || directory_.tenants.back() != tenant;
  // A big stream fills up a block that has hardly begun, rather than leave a small one behind.
  const bool begins_own =
      line_bytes > options_.own_block_bytes && builder_.raw_bytes() >= options_.block_bytes / 4;
  if (new_tenant || begins_own) VARVE_RETURN_IF_ERROR(CloseBlock());
  if (new_tenant) directory_.tenants.emplace_back(tenant);
  if (directory_.streams.size() == kPackStreamsMax) return TooLarge("a pack holds too many streams");
  directory_.streams.push_back(
      {fingerprint, static_cast<uint32_t>(directory_.tenants.size() - 1), std::string(canonical_labels)});
  run_.Reset();
  range_open_ = false;
  return Status::Ok();
}

Status PackWriter::AddRow(int64_t ts_ns, std::string_view line, std::string_view metadata) {
  VARVE_CHECK(!directory_.streams.empty());
  if (run_.IsDuplicate(ts_ns, line, metadata)) {
    ++duplicates_dropped_;
    return Status::Ok();
  }
  const uint64_t bytes = builder_.raw_bytes() + line.size() + metadata.size();
  if (builder_.row_count() != 0 &&
      (bytes > options_.block_bytes || builder_.row_count() >= options_.block_rows)) {
    VARVE_RETURN_IF_ERROR(CloseBlock());
  }
  if (!range_open_) {
    builder_.StartStream(directory_.streams.back().fingerprint);
    if (directory_.ranges.size() + open_ranges_.size() >= kPackRangesMax) return TooLarge("a pack holds too many row ranges");
    PackRowRange range;
    range.stream = static_cast<uint32_t>(directory_.streams.size() - 1);
    range.row_begin = builder_.row_count();
    range.min_ts_ns = ts_ns;
    open_ranges_.push_back(range);
    range_open_ = true;
  }
  VARVE_RETURN_IF_ERROR(builder_.Add(ts_ns, line, metadata));
  PackRowRange& range = open_ranges_.back();
  VARVE_DCHECK(range.row_count == 0 || ts_ns >= range.max_ts_ns);
  ++range.row_count;
  range.line_bytes += static_cast<uint32_t>(line.size());
  range.max_ts_ns = ts_ns;
  return Status::Ok();
}

Status PackWriter::CloseBlock() {
  range_open_ = false;
  if (builder_.row_count() == 0) return Status::Ok();
  encoded_.clear();
  VARVE_RETURN_IF_ERROR(builder_.Encode(&encoded_));
  builder_.Clear();
  const auto range_count = static_cast<uint32_t>(open_ranges_.size());
  directory_.ranges.insert(directory_.ranges.end(), open_ranges_.begin(), open_ranges_.end());
  open_ranges_.clear();
  return AppendBlock(encoded_, range_count);
}

Status PackWriter::CopyBlock(std::string_view encoded, const PackBlock& block) {
  VARVE_CHECK(!directory_.streams.empty());
  if (directory_.ranges.size() + open_ranges_.size() >= kPackRangesMax) {
    return TooLarge("a pack holds too many row ranges");
  }
  PackRowRange range;
  range.stream = static_cast<uint32_t>(directory_.streams.size() - 1);
  range.row_count = block.row_count;
  range.line_bytes = block.line_bytes;
  range.min_ts_ns = block.min_ts_ns;
  range.max_ts_ns = block.max_ts_ns;
  directory_.ranges.push_back(range);
  return AppendBlock(encoded, 1);
}

Status PackWriter::AppendBlock(std::string_view encoded, uint32_t range_count) {
  if (directory_.blocks.size() == kPackBlocksMax) return TooLarge("a pack holds too many blocks");
  PackBlock block;
  block.encoded_bytes = static_cast<uint32_t>(encoded.size());
  block.tenant = static_cast<uint32_t>(directory_.tenants.size() - 1);
  block.range_begin = static_cast<uint32_t>(directory_.ranges.size()) - range_count;
  block.range_count = range_count;
  block.min_ts_ns = std::numeric_limits<int64_t>::max();
  block.max_ts_ns = std::numeric_limits<int64_t>::min();
  for (const PackRowRange& range : directory_.RangesOf(block)) {
    block.row_count += range.row_count;
    block.line_bytes += range.line_bytes;
    block.min_ts_ns = std::min(block.min_ts_ns, range.min_ts_ns);
    block.max_ts_ns = std::max(block.max_ts_ns, range.max_ts_ns);
  }
  const bool first = directory_.blocks.empty();
  directory_.blocks.push_back(block);
  directory_.row_count += block.row_count;
  directory_.line_bytes += block.line_bytes;
  directory_.encoded_bytes += block.encoded_bytes;
  directory_.min_ts_ns = first ? block.min_ts_ns : std::min(directory_.min_ts_ns, block.min_ts_ns);
  directory_.max_ts_ns = first ? block.max_ts_ns : std::max(directory_.max_ts_ns, block.max_ts_ns);
  return pending_->AddBlock(encoded);
}

Result<PackDirectory> PackWriter::Finish() {
  VARVE_RETURN_IF_ERROR(CloseBlock());
  if (directory_.blocks.empty()) return InvalidArgument("a pack needs at least one row");
  VARVE_RETURN_IF_ERROR(pending_->Commit(directory_));
  return std::move(directory_);
}

}  // namespace varve
