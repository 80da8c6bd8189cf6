// The columns of one source, loaded as they turn out to be needed.
//
// Threads: thread-compatible; one task uses it. Ownership: keeps the loaded columns alive; views into them
// end with it.
#pragma once

#include <memory>
#include <string_view>

#include "engine/scan.h"
#include "query/exec/query_context.h"

namespace varve {

class SourceColumns {
 public:
  SourceColumns(const LogSnapshot& snapshot, uint32_t source, QueryContext& query)
      : snapshot_(snapshot), source_(source), query_(query) {}

  // Loads what of `want` is not there yet.
  Status Ensure(ColumnMask want);

  uint32_t source() const { return source_; }
  // Valid once any column has been loaded.
  uint32_t row_count() const { return row_count_; }

  // Each valid once its column has been ensured.
  const int64_t* timestamps() const { return timestamps_->timestamps_ns.data(); }
  const LogColumns& lines() const { return *lines_; }
  std::string_view Line(uint32_t row) const { return lines_->Line(row); }
  uint32_t LineLength(uint32_t row) const { return lengths_->LineLength(row); }
  uint64_t LineBytes(uint32_t row_begin, uint32_t row_end) const {
    return lengths_->line_offsets[row_end] - lengths_->line_offsets[row_begin];
  }
  std::string_view Metadata(uint32_t row) const { return metadata_->Metadata(row); }
  bool has_metadata() const { return !metadata_->metadata_codes.empty(); }
  uint32_t MetadataCode(uint32_t row) const { return metadata_->metadata_codes[row]; }
  size_t metadata_set_count() const { return metadata_->metadata_sets.size(); }
  std::string_view MetadataSet(uint32_t code) const { return metadata_->metadata_sets[code]; }

  bool loaded(ColumnMask columns) const { return (loaded_ & columns) == columns; }
  // What loading took; to be added to the query's statistics.
  const QueryStats& stats() const { return stats_; }

 private:
  const LogSnapshot& snapshot_;
  const uint32_t source_;
  QueryContext& query_;
  ColumnMask loaded_ = 0;
  uint32_t row_count_ = 0;
  QueryStats stats_;
  // Often one and the same.
  std::shared_ptr<const LogColumns> timestamps_, lengths_, lines_, metadata_;
};

}  // namespace varve
