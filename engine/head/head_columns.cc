#include "engine/head/head_columns.h"

#include <algorithm>
#include <unordered_map>

#include "engine/packs/duplicate_run.h"

namespace varve {
namespace {

bool Sorted(std::span<const HeadRun> runs) {
  for (size_t i = 0; i < runs.size(); ++i) {
    if (!runs[i].sorted || (i > 0 && runs[i].min_ts_ns < runs[i - 1].max_ts_ns)) return false;
  }
  return true;
}

void DropDuplicates(std::vector<const HeadRow*>* rows) {
  DuplicateRun seen;
  seen.Reset();
  std::erase_if(
      *rows, [&](const HeadRow* row) { return seen.IsDuplicate(row->ts_ns, row->line(), row->metadata()); });
}

void FillLines(const std::vector<const HeadRow*>& rows, bool with_bytes, LogColumns* out) {
  size_t total = 0;
  out->line_offsets.reserve(rows.size() + 1);
  out->line_offsets.push_back(0);
  for (const HeadRow* row : rows) {
    total += row->line_size;
    out->line_offsets.push_back(static_cast<uint32_t>(total));
  }
  if (!with_bytes) return;
  out->lines.reserve(total + LogColumns::kLinePaddingBytes);
  for (const HeadRow* row : rows) {
    out->lines.insert(out->lines.end(), row->line_data, row->line_data + row->line_size);
  }
  out->lines.resize(total + LogColumns::kLinePaddingBytes);
}

void FillMetadata(const std::vector<const HeadRow*>& rows, LogColumns* out) {
  const bool any =
      std::any_of(rows.begin(), rows.end(), [](const HeadRow* row) { return row->metadata_set != nullptr; });
  if (!any) return;
  std::unordered_map<const std::string_view*, uint32_t> codes;
  std::vector<std::string_view> sets;
  size_t total = 0;
  out->metadata_codes.reserve(rows.size());
  for (const HeadRow* row : rows) {
    const auto [it, added] = codes.try_emplace(row->metadata_set, static_cast<uint32_t>(sets.size()));
    if (added) {
      sets.push_back(row->metadata());
      total += sets.back().size();
    }
    out->metadata_codes.push_back(it->second);
  }
  // Reserved once, so that the views below stay valid.
  out->metadata_bytes.reserve(total);
  out->metadata_sets.reserve(sets.size());
  for (const std::string_view set : sets) {
    const size_t offset = out->metadata_bytes.size();
    out->metadata_bytes.insert(out->metadata_bytes.end(), set.begin(), set.end());
    out->metadata_sets.emplace_back(out->metadata_bytes.data() + offset, set.size());
  }
}

}  // namespace

bool AscendStrictly(std::span<const HeadRun> runs) {
  for (size_t i = 0; i < runs.size(); ++i) {
    if (!runs[i].ascending || (i > 0 && runs[i].min_ts_ns <= runs[i - 1].max_ts_ns)) return false;
  }
  return true;
}

std::vector<const HeadRow*> SortedRows(std::span<const HeadRun> runs) {
  std::vector<const HeadRow*> rows;
  size_t count = 0;
  for (const HeadRun& run : runs) count += run.count;
  rows.reserve(count);
  for (const HeadRun& run : runs) {
    for (uint32_t i = 0; i < run.count; ++i) rows.push_back(run.rows + i);
  }
  if (!Sorted(runs)) {
    std::stable_sort(rows.begin(), rows.end(),
                     [](const HeadRow* a, const HeadRow* b) { return a->ts_ns < b->ts_ns; });
  }
  return rows;
}

LogColumns MaterialiseRuns(std::span<const HeadRun> runs, ColumnMask want) {
  std::vector<const HeadRow*> rows = SortedRows(runs);
  if (!AscendStrictly(runs)) DropDuplicates(&rows);
  LogColumns columns;
  columns.row_count = static_cast<uint32_t>(rows.size());
  if ((want & kTimestamps) != 0) {
    columns.timestamps_ns.reserve(rows.size());
    for (const HeadRow* row : rows) columns.timestamps_ns.push_back(row->ts_ns);
  }
  if ((want & (kLengths | kLines)) != 0) FillLines(rows, (want & kLines) != 0, &columns);
  if ((want & kMetadata) != 0) FillMetadata(rows, &columns);
  return columns;
}

int64_t MaterialisedBytesMax(std::span<const HeadRun> runs, ColumnMask want) {
  uint64_t rows = 0;
  uint64_t line_bytes = 0;
  for (const HeadRun& run : runs) {
    rows += run.count;
    line_bytes += run.line_bytes;
  }
  uint64_t bytes = sizeof(LogColumns) + rows * sizeof(const HeadRow*);
  if ((want & kTimestamps) != 0) bytes += rows * sizeof(int64_t);
  if ((want & (kLengths | kLines)) != 0) bytes += (rows + 1) * sizeof(uint32_t);
  if ((want & kLines) != 0) bytes += line_bytes + LogColumns::kLinePaddingBytes;
  if ((want & kMetadata) != 0) bytes += rows * (sizeof(uint32_t) + sizeof(std::string_view));
  return static_cast<int64_t>(bytes);
}

}  // namespace varve
