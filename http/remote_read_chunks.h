// Prometheus's chunks, as remote read streams them: XOR for floats, histograms of integers and of floats.
//
// The bytes are those of Prometheus's own encoder for a chunk that is written from its first sample to its last
// (prom_surface 3.3); a histogram chunk is cut where layout, hint or a reset ask for it, rather than recoded.
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/metric_scan.h"

namespace varve {

// Numbers are on the wire.
enum class ChunkEncoding : uint8_t { kXor = 1, kHistogram = 2, kFloatHistogram = 3 };

struct ReadChunk {
  int64_t min_ms = 0;
  int64_t max_ms = 0;
  ChunkEncoding encoding = ChunkEncoding::kXor;
  std::string data;
};

// As many as a head chunk of Prometheus gets.
inline constexpr size_t kChunkSamplesMax = 120;

// Of a series' samples in order of time; floats and histograms take turns as they come.
std::vector<ReadChunk> EncodeChunks(const SeriesSamples& samples);

std::string EncodeXorChunk(std::span<const int64_t> ts_ms, std::span<const double> values);
// All of one layout, kind and hint, without a reset between them; stale markers stand alone. `hint` is for the first.
std::string EncodeHistogramChunk(std::span<const HistogramSample> samples, CounterResetHint hint);

}  // namespace varve
