#include "http/tail_batch.h"

#include <limits>

namespace varve {
namespace {

void AppendRow(const LogEntryView& entry, LogColumns* columns) {
  columns->timestamps_ns.push_back(entry.ts_ns);
  columns->lines.insert(columns->lines.end(), entry.line.begin(), entry.line.end());
  columns->line_offsets.push_back(static_cast<uint32_t>(columns->lines.size()));
  // Neighbours often share their metadata. The bytes were reserved at once, so views into them stay.
  if (columns->metadata_sets.empty() || columns->metadata_sets.back() != entry.metadata) {
    const size_t at = columns->metadata_bytes.size();
    columns->metadata_bytes.insert(columns->metadata_bytes.end(), entry.metadata.begin(),
                                   entry.metadata.end());
    columns->metadata_sets.emplace_back(columns->metadata_bytes.data() + at, entry.metadata.size());
  }
  columns->metadata_codes.push_back(static_cast<uint32_t>(columns->metadata_sets.size() - 1));
}

}  // namespace

Result<std::unique_ptr<const TailBatch>> MakeTailBatch(const AppendBatch& batch,
                                                       const std::vector<uint32_t>& streams,
                                                       MemoryBudget* budget) {
  size_t rows = 0, line_bytes = 0, metadata_bytes = 0;
  for (const uint32_t s : streams) {
    const AppendBatch::StreamEntries& part = batch.streams[s];
    rows += part.count;
    for (uint32_t i = part.begin; i < part.begin + part.count; ++i) {
      line_bytes += batch.entries[i].line.size();
      metadata_bytes += batch.entries[i].metadata.size();
    }
  }
  if (line_bytes > std::numeric_limits<uint32_t>::max())
    return ResourceExhausted("a push too large to be tailed");
  auto copy = std::make_unique<TailBatch>(budget);
  constexpr size_t kRowBytes = sizeof(int64_t) + 2 * sizeof(uint32_t) + sizeof(std::string_view);
  VARVE_RETURN_IF_ERROR(copy->memory.Add(
      static_cast<int64_t>(sizeof(TailBatch) + rows * kRowBytes + line_bytes + LogColumns::kLinePaddingBytes +
                           metadata_bytes + streams.size() * sizeof(TailBatch::Part))));
  LogColumns& columns = copy->columns;
  columns.row_count = static_cast<uint32_t>(rows);
  columns.timestamps_ns.reserve(rows);
  columns.line_offsets.reserve(rows + 1);
  columns.line_offsets.push_back(0);
  columns.lines.reserve(line_bytes + LogColumns::kLinePaddingBytes);
  columns.metadata_codes.reserve(rows);
  columns.metadata_bytes.reserve(metadata_bytes);
  copy->parts.reserve(streams.size());
  for (const uint32_t s : streams) {
    const AppendBatch::StreamEntries& part = batch.streams[s];
    const auto begin = static_cast<uint32_t>(columns.timestamps_ns.size());
    for (uint32_t i = part.begin; i < part.begin + part.count; ++i) AppendRow(batch.entries[i], &columns);
    copy->parts.push_back({part.stream, begin, begin + part.count});
  }
  columns.lines.insert(columns.lines.end(), LogColumns::kLinePaddingBytes, '\0');
  return std::unique_ptr<const TailBatch>(std::move(copy));
}

}  // namespace varve
