// Rows of a head as readers and the encoder want them: one stream's, sorted, in columns.
//
// Threads: free functions over immutable runs; thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/head/log_segment.h"
#include "engine/scan.h"

namespace varve {

// Whether the runs, in this order, ascend strictly in time: then they are sorted and free of duplicates.
bool AscendStrictly(std::span<const HeadRun> runs);

// The runs' rows by (timestamp, arrival).
std::vector<const HeadRow*> SortedRows(std::span<const HeadRun> runs);

// The rows sorted, without duplicates, as columns: at least those in `want`.
LogColumns MaterialiseRuns(std::span<const HeadRun> runs, ColumnMask want);

// Upper bound of the bytes MaterialiseRuns(runs, want) allocates for its result.
int64_t MaterialisedBytesMax(std::span<const HeadRun> runs, ColumnMask want);

}  // namespace varve
