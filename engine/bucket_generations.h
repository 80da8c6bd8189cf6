// Tells whether what a reader sees of a time range may have changed: equal numbers mean equal data.
//
// Time is cut into fine buckets (2^36 ns, 69 s) and coarse ones (64 fine ones, 73 min); each has a counter in
// a fixed array, found by the bucket's low bits, so memory is bounded (640 KiB) whatever times entries have.
// Two buckets may share a counter: a change is then seen where there was none, never the other way round. A
// range's number is the sum of its counters, coarse ones where it covers whole coarse buckets. Counters only
// grow, so two equal sums of one range mean that none of them changed in between.
//
// Who changes data calls Bump *after* readers can see the change and before it is acknowledged; who keeps an
// answer calls Read *before* taking its snapshot. Then a row the snapshot missed was shown after it, and so
// bumped after the Read: a later Read differs. The bump releases, the read acquires: a reader that sees a
// bump sees the rows too.
// Threads: thread-safe, without locks.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

#include "engine/base/time.h"

namespace varve {

class BucketGenerations {
 public:
  static constexpr int kFineShift = 36;
  static constexpr int kCoarseShift = 42;
  static constexpr uint64_t kFineSlots = 1 << 16;    // 52 days
  static constexpr uint64_t kCoarseSlots = 1 << 14;  // 2.3 years

  BucketGenerations();

  // What lies in `range` may have changed. Costs two additions a fine bucket, at most kFineSlots of them.
  void Bump(TimeRange range);
  // As Bump for every instant of a batch; skips neighbours of the same bucket.
  template <typename Entries>
  void BumpEntries(const Entries& entries) {
    int64_t last = std::numeric_limits<int64_t>::max();  // no bucket has this number
    for (const auto& entry : entries) {
      const int64_t bucket = entry.ts_ns >> kFineShift;
      if (bucket == last) continue;
      last = bucket;
      BumpBucket(bucket);
    }
  }

  // Only numbers of the very same range may be compared. 0 for an empty range.
  uint64_t Read(TimeRange range) const;

 private:
  using Counter = std::atomic<uint64_t>;

  void BumpBucket(int64_t fine_bucket);
  uint64_t SumFine(int64_t first, int64_t last) const;
  uint64_t SumCoarse(int64_t first, int64_t last) const;

  const std::unique_ptr<Counter[]> fine_;
  const std::unique_ptr<Counter[]> coarse_;
};

}  // namespace varve
