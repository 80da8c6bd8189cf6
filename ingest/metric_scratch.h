// The memory one metrics request or its replay works in, kept for the next one.
//
// Threads: one request at a time.
#pragma once

#include <string>
#include <vector>

#include "engine/metric_batch.h"
#include "ingest/byte_arena.h"
#include "ingest/byte_buffer.h"
#include "ingest/decoded_metrics.h"
#include "ingest/reject_list.h"
#include "ingest/scratch_pool.h"
#include "ingest/series_alias_table.h"

namespace varve {

struct MetricScratch {
  static constexpr SeriesOrdinal kNoSeries = UINT32_MAX;

  ByteBuffer outer;   // the body without its Content-Encoding
  ByteBuffer packed;  // a plain body, LZ4-compressed for the journal
  ByteArena arena;
  DecodedMetrics decoded;
  std::vector<SeriesAliasTable::Key> keys;  // beside decoded.series; high 0: none
  std::vector<SeriesOrdinal> ordinals;      // beside decoded.series; kNoSeries: not stored
  std::vector<uint64_t> symbol_hashes;      // two for each symbol
  std::vector<uint64_t> symbol_metadata;    // beside the symbols: what metadata a metric of that name has had
  std::vector<LabelView> labels;            // of the series that is being looked at
  MetricBatch batch;
  RejectList rejects;
  std::string record;

  // Forgets the request. Keeps memory for the next one, except what an unusually large one made it grow to.
  void Clear();
};

using MetricScratchPool = ScratchPool<MetricScratch>;

}  // namespace varve
