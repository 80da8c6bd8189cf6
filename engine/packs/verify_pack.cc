#include <string>
#include <utility>

#include "engine/codec/log_block.h"
#include "engine/packs/pack_store.h"

namespace varve {

namespace {

Status Disagree(const std::string& what) { return Corruption("block and pack directory disagree: " + what); }

Status CheckRanges(const LogColumns& columns, const std::vector<LogBlockStream>& streams,
                   const PackDirectory& directory, const PackBlock& block) {
  const auto ranges = directory.RangesOf(block);
  if (ranges.size() != streams.size()) return Disagree("number of streams");
  for (size_t s = 0; s < streams.size(); ++s) {
    const PackRowRange& range = ranges[s];
    const std::string name = " of stream " + std::to_string(s);
    if (directory.streams[range.stream].fingerprint != streams[s].fingerprint) {
      return Disagree("fingerprint" + name);
    }
    if (range.row_count != streams[s].row_count) return Disagree("rows" + name);
    const uint32_t end = range.row_begin + range.row_count;
    if (columns.line_offsets[end] - columns.line_offsets[range.row_begin] != range.line_bytes) {
      return Disagree("line bytes" + name);
    }
    if (columns.timestamps_ns[range.row_begin] != range.min_ts_ns ||
        columns.timestamps_ns[end - 1] != range.max_ts_ns) {
      return Disagree("time span" + name);
    }
  }
  return Status::Ok();
}

Status CheckBlock(const PackStore& store, const PackId& id, uint32_t number, const PackDirectory& directory) {
  VARVE_ASSIGN_OR_RETURN(const PackBytes bytes, store.ReadBlock(id, number));
  VARVE_RETURN_IF_ERROR(VerifyLogBlock(bytes.view));
  VARVE_ASSIGN_OR_RETURN(const LogBlockHeader header, ReadLogBlockHeader(bytes.view));
  const PackBlock& block = directory.blocks[number];
  if (header.row_count != block.row_count || header.line_bytes != block.line_bytes ||
      header.min_ts_ns != block.min_ts_ns || header.max_ts_ns != block.max_ts_ns ||
      bytes.view.size() != block.encoded_bytes) {
    return Disagree("header");
  }
  LogColumns columns;
  VARVE_RETURN_IF_ERROR(DecodeLogBlock(bytes.view, kTimestamps | kLengths, &columns));
  VARVE_ASSIGN_OR_RETURN(const auto streams, DecodeLogBlockStreams(bytes.view));
  return CheckRanges(columns, streams, directory, block);
}

}  // namespace

bool VerifyPack(const PackStore& store, const PackId& id, const std::function<void(PackDamage)>& on_damage) {
  if (id.is_metric()) return VerifyMetricPack(store, id, on_damage);
  auto directory = store.ReadDirectory(id);
  if (!directory.ok()) {
    on_damage({id, kPackDirectoryBlock, std::move(directory).status()});
    return false;
  }
  bool sound = true;
  for (uint32_t number = 0; number < directory->blocks.size(); ++number) {
    Status status = CheckBlock(store, id, number, *directory);
    if (status.ok()) continue;
    sound = false;
    on_damage({id, number,
               std::move(status).WithContext("block " + std::to_string(number) + " of " + id.ToString())});
  }
  return sound;
}

}  // namespace varve
