// A LogSnapshot over the packs and heads that its builder picked. See scan.h for what it promises.
//
// Immutable after construction; thread-safe. Holds the packs and segments it shows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/head/log_segment.h"
#include "engine/hidden_rows.h"
#include "engine/pack_catalog.h"
#include "engine/packs/block_cache.h"
#include "engine/packs/pack_store.h"
#include "engine/scan.h"

namespace varve {

// A block of a pack, or consecutive runs of one stream in a head.
struct SnapshotSource {
  CatalogPackPtr pack;  // null for a head
  uint32_t block = 0;
  uint32_t block_bytes = 0;
  uint16_t shard = 0;
  std::shared_ptr<const LogSegment> segment;  // keeps the runs' rows alive
  std::vector<HeadRun> runs;
};

class PackedLogSnapshot final : public LogSnapshot {
 public:
  PackedLogSnapshot(const PackStore* store, BlockCache* cache) : store_(store), cache_(cache) {}

  const std::vector<SelectedStream>& streams() const override { return streams_; }
  const std::vector<LogSlice>& slices() const override { return slices_; }
  uint32_t source_count() const override { return static_cast<uint32_t>(sources_.size()); }
  std::string SourceName(uint32_t source) const override;
  uint64_t SourceBytesOnDisk(uint32_t source) const override;
  Result<std::shared_ptr<const LogColumns>> Load(uint32_t source, ColumnMask want,
                                                 MemoryBudget* budget) const override;
  Status DropHidden(const LogSlice& slice, MemoryBudget* budget, std::vector<uint32_t>* rows) const override;

 private:
  friend class LogSnapshotBuilder;

  Result<std::shared_ptr<const LogColumns>> LoadBlock(const SnapshotSource& source, ColumnMask want,
                                                      MemoryBudget* budget) const;

  const PackStore* const store_;
  BlockCache* const cache_;
  std::vector<SelectedStream> streams_;
  std::vector<LogSlice> slices_;
  std::vector<SnapshotSource> sources_;
  std::vector<RowHiding> hidings_;  // LogSlice::hiding - 1
};

}  // namespace varve
