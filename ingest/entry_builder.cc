#include "ingest/entry_builder.h"

#include <algorithm>
#include <cstring>

#include "ingest/metadata_names.h"
#include "ingest/utf8_repair.h"

namespace varve {

Status EntryBuilder::Finish(std::span<const MetadataPair> pairs, const StreamFacts& stream,
                            LogEntryView* entry) {
  if (const uint64_t bytes = options_->truncate_line_bytes(); bytes != 0 && entry->line.size() > bytes) {
    VARVE_RETURN_IF_ERROR(CutLine(bytes, &entry->line));
  }
  if (!IsAscii(entry->line)) VARVE_RETURN_IF_ERROR(RepairText(&entry->line));
  if (!pairs.empty()) return EncodePairs(pairs, stream, entry);
  // Nearly every entry ends here, without an allocation.
  if (!options_->add_detected_level()) return Status::Ok();
  entry->metadata = stream.label_level.empty()
                        ? EncodedLevelMetadata(options_->level_detector().FromLine(entry->line))
                        : std::string_view(stream.label_level_metadata);
  return Status::Ok();
}

Status EntryBuilder::CutLine(uint64_t bytes, std::string_view* line) {
  const std::string& identifier = options_->truncate_identifier();
  if (identifier.empty() || identifier.size() >= bytes) {
    *line = line->substr(0, bytes);
    return Status::Ok();
  }
  char* const out = arena_->Allocate(bytes);
  if (out == nullptr) return arena_->TakeStatus();
  const size_t kept = bytes - identifier.size();
  std::memcpy(out, line->data(), kept);
  std::memcpy(out + kept, identifier.data(), identifier.size());
  *line = {out, bytes};
  return Status::Ok();
}

Status EntryBuilder::RepairText(std::string_view* text) {
  if (IsValidUtf8(*text)) return Status::Ok();
  char* const out = arena_->Allocate(RepairedSizeMax(text->size()));
  if (out == nullptr) return arena_->TakeStatus();
  const size_t size = RepairUtf8(*text, out);
  arena_->Trim(out, size);
  *text = {out, size};
  return Status::Ok();
}

Status EntryBuilder::EncodePairs(std::span<const MetadataPair> pairs, const StreamFacts& stream,
                                 LogEntryView* entry) {
  stored_.clear();
  for (const auto& [name, value] : pairs) {
    if (value.empty()) continue;
    MetadataPair pair;
    VARVE_ASSIGN_OR_RETURN(pair.first, StoredMetadataName(name, arena_));
    pair.second = value;
    if (!IsAscii(value)) VARVE_RETURN_IF_ERROR(RepairText(&pair.second));
    stored_.push_back(pair);
  }
  KeepLastOfEachName();
  if (options_->add_detected_level()) AddLevel(stream, entry->line);
  encoded_.clear();
  EncodeMetadata(&stored_, &encoded_);
  if (encoded_.empty()) return Status::Ok();
  char* const out = arena_->Allocate(encoded_.size());
  if (out == nullptr) return arena_->TakeStatus();
  std::memcpy(out, encoded_.data(), encoded_.size());
  entry->metadata = {out, encoded_.size()};
  return Status::Ok();
}

void EntryBuilder::KeepLastOfEachName() {
  const auto same_name = [](const MetadataPair& a, const MetadataPair& b) { return a.first == b.first; };
  std::stable_sort(stored_.begin(), stored_.end(),
                   [](const MetadataPair& a, const MetadataPair& b) { return a.first < b.first; });
  const auto begin = std::unique(stored_.rbegin(), stored_.rend(), same_name).base();
  stored_.erase(stored_.begin(), begin);
}

void EntryBuilder::AddLevel(const StreamFacts& stream, std::string_view line) {
  for (auto& [name, value] : stored_) {
    if (name == kDetectedLevel) {
      value = NormalisedLevel(value);
      return;
    }
  }
  std::string_view level = stream.label_level;
  if (level.empty()) level = options_->level_detector().FromMetadata(stored_);
  if (level.empty()) level = LevelName(options_->level_detector().FromLine(line));
  stored_.emplace_back(kDetectedLevel, level);
}

}  // namespace varve
