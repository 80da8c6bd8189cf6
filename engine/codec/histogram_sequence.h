// A sequence of native histograms of one series in time order, column by column: what is equal from one to
// the next (schema, spans, bounds) once, the counts of each bucket as a sequence of their own.
//
// Bytes on disk: docs/format.md, "Metric chunk" (hints and runs). Comes back bit by bit. The number of
// histograms is not stored; the reader knows it. Threads: free functions, thread-safe.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/status.h"
#include "engine/metric_scan.h"

namespace varve {

// What a histogram counts against kChunkHistogramCellsMax: its buckets, spans and bounds.
uint64_t HistogramCells(const NativeHistogram& histogram);

// Appends to `out`. kInvalidArgument: a histogram is beyond the limits of metric_chunk.h.
Status EncodeHistogramSequence(std::span<const HistogramSample> samples, std::string* out);

// Reads a sequence of `count` and appends those numbered [begin, end) to `out`. False when the bytes are not
// such a sequence.
[[nodiscard]] bool DecodeHistogramSequence(ByteReader* reader, size_t count, size_t begin, size_t end,
                                           std::vector<HistogramPtr>* out);

}  // namespace varve
