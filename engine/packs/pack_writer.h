// Turns sorted rows, stream by stream, into the blocks and the directory of one pack.
//
//   PackWriter writer(options, pending.get());
//   for each stream { writer.AddStream(...); for each row by (ts, arrival) writer.AddRow(...) or CopyBlock(...); }
//   writer.Finish() commits the pending pack.
//
// Blocks are encoded and handed to the pending pack as they fill, so memory is one block's rows plus
// the directory. A stream of more than `own_block_bytes` gets blocks of its own (the last one may be
// shared with what follows); smaller ones share blocks with their neighbours, so feed streams that
// look alike one after another. A block never mixes tenants. A line longer than a block gets a block
// to itself.
// Exact duplicates (equal timestamp, line and metadata within a stream) are dropped and counted.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/codec/log_block_builder.h"
#include "engine/packs/duplicate_run.h"
#include "engine/packs/pack_directory.h"
#include "engine/packs/pack_store.h"

namespace varve {

struct PackWriterOptions {
  // A block is closed when the next row would pass either bound. As in EngineOptions.
  uint32_t block_bytes = 1 << 20;
  uint32_t block_rows = 1 << 16;
  uint32_t own_block_bytes = 512 << 10;
};

class PackWriter {
 public:
  // `pending` must outlive the writer.
  PackWriter(const PackWriterOptions& options, PendingPack* pending);

  // Starts a stream; each (tenant, stream) once, all of a tenant's streams one after another.
  // `line_bytes` is what its rows are about to add, for deciding where it goes; it need not be exact.
  Status AddStream(uint64_t fingerprint, std::string_view tenant, std::string_view canonical_labels,
                   uint64_t line_bytes);
  // Timestamps must not descend within a stream. The views must stay valid until the next AddStream
  // or Finish. Any error is final.
  Status AddRow(int64_t ts_ns, std::string_view line, std::string_view metadata);

  // Adds a block as it is, all of whose rows belong to the current stream; of `block` the counts and the time
  // span are used. The closed span must touch no other row of the stream in this pack: then neither order nor
  // duplicates need looking at. Rows before it may end up in a later block.
  Status CopyBlock(std::string_view encoded, const PackBlock& block);

  // Encodes what is left and commits. A pack without rows is kInvalidArgument and commits nothing.
  Result<PackDirectory> Finish();

  uint64_t row_count() const { return directory_.row_count; }  // of closed blocks
  uint64_t duplicates_dropped() const { return duplicates_dropped_; }

 private:
  Status CloseBlock();
  // Appends a block whose ranges are the last `range_count` of the directory.
  Status AppendBlock(std::string_view encoded, uint32_t range_count);

  const PackWriterOptions options_;
  PendingPack* const pending_;
  PackDirectory directory_;
  LogBlockBuilder builder_;
  DuplicateRun run_;
  std::string encoded_;
  uint64_t duplicates_dropped_ = 0;
  std::vector<PackRowRange> open_ranges_;  // of the block being filled
  bool range_open_ = false;                // whether the last of them is the current stream's
};

}  // namespace varve
