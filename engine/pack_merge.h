// Several packs into one: the inner part of a compaction.
//
// Streams one after another, in the order in which cuts write them. A stream's rows are merged by
// (timestamp, arrival), freed of duplicates and of hidden rows, and grouped into blocks anew; but a block that
// is full, holds this stream only, overlaps no other part of the stream in time and holds no hidden row is
// copied as it is. So what this costs goes with how fragmented the packs are, not with how large.
// Memory: the decoded blocks that overlap at one instant of one stream, two more of each input, the block
// being filled, and the labels of all streams.
// Threads: a free function; inputs are immutable.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/base/memory_budget.h"
#include "engine/base/status.h"
#include "engine/hidden_rows.h"
#include "engine/index/stream_table.h"
#include "engine/pack_catalog.h"
#include "engine/pack_index_cache.h"
#include "engine/packs/pack_store.h"
#include "engine/packs/pack_writer.h"

namespace varve {

struct MergeInput {
  CatalogPackPtr pack;
  std::shared_ptr<const PackIndex> index;
  LiveDeletes deletes;  // whose rows are left out
};

struct MergeOptions {
  PackWriterOptions writer;
  // Rows of the stream earlier than this are left out.
  std::function<int64_t(StreamOrdinal)> retention_begin_ns;
  // Called for every so many bytes read or written; waits as it sees fit. An error ends the merge.
  std::function<Status(uint64_t bytes)> pace;
  MemoryBudget* budget = nullptr;  // decoded blocks count against it, whether or not there is room
};

struct MergeStats {
  uint64_t bytes_read = 0;  // of blocks, encoded
  uint64_t bytes_written = 0;
  uint64_t blocks_copied = 0;
  uint64_t blocks_decoded = 0;  // each time
  uint64_t rows_read = 0;       // those of copied blocks included
  uint64_t rows_written = 0;
  uint64_t rows_hidden = 0;  // left out
  uint64_t duplicates_dropped = 0;
};

// Merges `inputs` (in order of arrival) into `pending` and commits it; nullopt, and nothing committed, when no
// row is left. An error that comes from an input sets `*bad_input` to its index.
Result<std::optional<PackDirectory>> MergePacks(const std::vector<MergeInput>& inputs,
                                                const StreamTable& streams, const PackStore& store,
                                                const MergeOptions& options, PendingPack* pending,
                                                MergeStats* stats, std::optional<size_t>* bad_input);

}  // namespace varve
