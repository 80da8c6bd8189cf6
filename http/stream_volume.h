// Entries and line bytes of streams, by stretches of time.
//
// Threads: pure function; thread-safe.
#pragma once

#include <cstdint>
#include <functional>

#include "engine/base/cancel.h"
#include "engine/engine.h"
#include "engine/scan.h"

namespace varve {

struct VolumeCell {
  uint32_t stream = 0;  // index into snapshot.streams()
  int64_t bucket = 0;   // floor(time / bucket_ns); 0 when bucket_ns is 0
  uint64_t entries = 0;
  uint64_t line_bytes = 0;
};

struct VolumeWork {
  uint64_t slices = 0;
  uint64_t sources_loaded = 0;
  uint64_t entries = 0;
  uint64_t line_bytes = 0;
};

// Calls `add` for what each slice of the snapshot holds within `range`, split into buckets of `bucket_ns`
// (0 = one bucket). A slice that lies within range and bucket is counted without touching its rows. Entries
// that stand in two slices (scan.h, duplicates) count twice, hidden ones not at all. Stops with the token's error.
Status SumVolumes(const LogSnapshot& snapshot, TimeRange range, int64_t bucket_ns, MemoryBudget* budget,
                  const CancelToken& cancel, const std::function<void(const VolumeCell&)>& add,
                  VolumeWork* work);

}  // namespace varve
