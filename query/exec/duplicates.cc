#include "query/exec/duplicates.h"

#include <algorithm>

namespace varve {

SourceColumns& DuplicateFinder::Older(uint32_t source) {
  std::unique_ptr<SourceColumns>& columns = older_[source];
  if (columns == nullptr) columns = std::make_unique<SourceColumns>(scan_.snapshot(), source, scan_.query());
  return *columns;
}

Result<bool> DuplicateFinder::Visible(const LogSlice& older, uint32_t row, uint32_t row_count) {
  if (!older.may_hide()) return true;
  const auto [it, fresh] = visible_rows_.try_emplace(&older);
  std::vector<uint32_t>& rows = it->second;
  if (fresh) {
    for (uint32_t i = older.row_begin; i < std::min(older.row_end, row_count); ++i) rows.push_back(i);
    VARVE_RETURN_IF_ERROR(scan_.snapshot().DropHidden(older, scan_.query().budget(), &rows));
  }
  return std::binary_search(rows.begin(), rows.end(), row);
}

Status DuplicateFinder::Mark(const LogSlice& older, SourceColumns& columns, const std::vector<uint32_t>& rows,
                             std::vector<bool>* drop) {
  SourceColumns& other = Older(older.source);
  VARVE_RETURN_IF_ERROR(other.Ensure(kTimestamps));
  const int64_t* mine = columns.timestamps();
  const int64_t* theirs = other.timestamps();
  uint32_t at = older.row_begin;
  const uint32_t end = std::min(older.row_end, other.row_count());
  for (size_t i = 0; i < rows.size() && at < end; ++i) {
    const int64_t ts_ns = mine[rows[i]];
    if (theirs[at] < ts_ns)
      at = static_cast<uint32_t>(std::lower_bound(theirs + at, theirs + end, ts_ns) - theirs);
    if (at == end || theirs[at] != ts_ns || (*drop)[i]) continue;
    VARVE_RETURN_IF_ERROR(columns.Ensure(kLines | kMetadata));
    VARVE_RETURN_IF_ERROR(other.Ensure(kLines | kMetadata));
    for (uint32_t j = at; j < end && theirs[j] == ts_ns && !(*drop)[i]; ++j) {
      if (columns.Line(rows[i]) != other.Line(j) || columns.Metadata(rows[i]) != other.Metadata(j)) continue;
      VARVE_ASSIGN_OR_RETURN((*drop)[i], Visible(older, j, other.row_count()));
    }
  }
  return Status::Ok();
}

Status DuplicateFinder::Remove(const LogSlice& slice, SourceColumns& columns, std::vector<uint32_t>* rows) {
  std::vector<bool> drop(rows->size());
  for (const uint32_t index : slice.older_overlapping) {
    VARVE_RETURN_IF_ERROR(scan_.query().CheckAlive());
    VARVE_RETURN_IF_ERROR(Mark(scan_.slice(index), columns, *rows, &drop));
  }
  size_t kept = 0;
  for (size_t i = 0; i < rows->size(); ++i) {
    if (!drop[i]) (*rows)[kept++] = (*rows)[i];
  }
  removed_ += rows->size() - kept;
  rows->resize(kept);
  return Status::Ok();
}

QueryStats DuplicateFinder::stats() const {
  QueryStats stats;
  stats.duplicates = removed_;
  for (const auto& [source, columns] : older_) {
    stats.sources_loaded += columns->stats().sources_loaded;
    stats.bytes_on_disk_read += columns->stats().bytes_on_disk_read;
  }
  return stats;
}

}  // namespace varve
