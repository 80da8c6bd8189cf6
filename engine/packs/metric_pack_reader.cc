#include "engine/packs/metric_pack_reader.h"

#include <algorithm>
#include <string>
#include <utility>

namespace varve {

namespace {

// Timeline blocks kept for each span; a pack has mostly one.
constexpr size_t kTimelineBlocksKept = 8;

}  // namespace

Result<PackBytes> MetricPackReader::ReadBlock(uint32_t block) {
  VARVE_ASSIGN_OR_RETURN(PackBytes bytes, store_->ReadBlock(id_, block));
  if (bytes.view.size() != directory_->blocks[block].encoded_bytes) {
    return Corruption("block and pack directory disagree: size");
  }
  bytes_read_ += bytes.view.size();
  return bytes;
}

Result<std::shared_ptr<const ParsedMetricBlock>> MetricPackReader::ReadChunks(uint32_t block) {
  VARVE_ASSIGN_OR_RETURN(PackBytes bytes, ReadBlock(block));
  VARVE_ASSIGN_OR_RETURN(ParsedMetricBlock parsed,
                         ParsedMetricBlock::Parse(bytes.view, std::move(bytes.owner)));
  const MetricPackBlock& expected = directory_->blocks[block];
  if (parsed.span() != expected.span || parsed.chunk_count() != expected.chunk_count ||
      parsed.SeriesOf(0) != expected.first_series ||
      parsed.SeriesOf(parsed.chunk_count() - 1) != expected.last_series) {
    return Corruption("block and pack directory disagree: span, chunks or series");
  }
  return std::make_shared<const ParsedMetricBlock>(std::move(parsed));
}

Result<std::shared_ptr<const ParsedTimelines>> MetricPackReader::ReadTimelines(uint32_t block) {
  VARVE_ASSIGN_OR_RETURN(PackBytes bytes, ReadBlock(block));
  VARVE_ASSIGN_OR_RETURN(ParsedTimelines parsed, ParsedTimelines::Parse(bytes.view, std::move(bytes.owner)));
  const MetricPackBlock& expected = directory_->blocks[block];
  if (parsed.span() != expected.span || parsed.first() != expected.first_timeline ||
      parsed.count() != expected.timeline_count) {
    return Corruption("block and pack directory disagree: span or timelines");
  }
  return std::make_shared<const ParsedTimelines>(std::move(parsed));
}

Result<std::shared_ptr<const ParsedTimelines>> MetricPackReader::Timelines::BlockOf(uint32_t timeline) const {
  auto& kept = reader->timelines_[{span.begin_ms, span.length_ms}];
  for (const auto& one : kept) {
    if (one.parsed->Contains(timeline)) return one.parsed;
  }
  const auto block = reader->directory_->TimelineBlockOf(span, timeline);
  if (!block.has_value()) return Corruption("the pack has no timeline " + std::to_string(timeline));
  auto parsed = reader->ReadTimelines(*block);
  if (!parsed.ok()) return std::move(parsed).status().WithContext("timeline block " + std::to_string(*block));
  if (kept.size() == kTimelineBlocksKept) kept.erase(kept.begin());
  kept.push_back({.block = *block, .parsed = *parsed});
  return parsed;
}

const TimelineSource& MetricPackReader::TimelinesOf(const MetricSpan& span) {
  source_.reader = this;
  source_.span = span;
  return source_;
}

void MetricPackReader::ForgetBefore(int64_t ts_ms) {
  const auto ended = [ts_ms](const auto& entry) {
    return entry.first.begin_ms + static_cast<int64_t>(entry.first.length_ms) <= ts_ms;
  };
  std::erase_if(chunks_, ended);
  std::erase_if(timelines_, ended);
}

Status MetricPackReader::Read(uint32_t series, MetricRange range, SeriesSamples* append) {
  found_.clear();
  directory_->FindChunks(series, range, &found_);
  for (const uint32_t block : found_) {
    const MetricSpan& span = directory_->blocks[block].span;
    auto& kept = chunks_[{span.begin_ms, span.length_ms}];
    Status status;
    if (kept.parsed == nullptr || kept.block != block) {
      auto parsed = ReadChunks(block);
      if (parsed.ok()) {
        kept = {.block = block, .parsed = std::move(parsed).value()};
      } else {
        status = std::move(parsed).status();
      }
    }
    if (status.ok()) status = kept.parsed->Read(series, range, TimelinesOf(span), append);
    if (!status.ok()) {
      return std::move(status).WithContext("block " + std::to_string(block) + " of " + id_.ToString());
    }
  }
  return Status::Ok();
}

}  // namespace varve
