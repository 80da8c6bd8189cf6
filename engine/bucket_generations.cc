#include "engine/bucket_generations.h"

#include <algorithm>

namespace varve {
namespace {

constexpr int kFinePerCoarseShift = BucketGenerations::kCoarseShift - BucketGenerations::kFineShift;

// Sums the counters of buckets first..last, each counter once.
uint64_t Sum(const std::atomic<uint64_t>* counters, uint64_t slots, int64_t first, int64_t last) {
  if (last < first) return 0;
  const uint64_t count = std::min(static_cast<uint64_t>(last - first) + 1, slots);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < count; ++i) {
    sum += counters[(static_cast<uint64_t>(first) + i) & (slots - 1)].load(std::memory_order_acquire);
  }
  return sum;
}

}  // namespace

BucketGenerations::BucketGenerations()
    : fine_(std::make_unique<Counter[]>(kFineSlots)), coarse_(std::make_unique<Counter[]>(kCoarseSlots)) {}

void BucketGenerations::BumpBucket(int64_t fine_bucket) {
  // release: what was made visible before is visible to whoever reads the new number.
  fine_[static_cast<uint64_t>(fine_bucket) & (kFineSlots - 1)].fetch_add(1, std::memory_order_release);
  coarse_[static_cast<uint64_t>(fine_bucket >> kFinePerCoarseShift) & (kCoarseSlots - 1)].fetch_add(
      1, std::memory_order_release);
}

void BucketGenerations::Bump(TimeRange range) {
  if (range.empty()) return;
  const int64_t first = range.begin_ns >> kFineShift;
  const int64_t last = (range.end_ns - 1) >> kFineShift;
  const uint64_t buckets = static_cast<uint64_t>(last - first) + 1;
  // Beyond this many, every fine counter has had its turn; the coarse ones need one bucket each.
  const uint64_t fine = std::min(buckets, kFineSlots);
  for (uint64_t i = 0; i < fine; ++i) BumpBucket(first + static_cast<int64_t>(i));
  if (fine == buckets) return;
  const int64_t first_coarse = first >> kFinePerCoarseShift;
  const int64_t last_coarse = last >> kFinePerCoarseShift;
  const uint64_t coarse = std::min(static_cast<uint64_t>(last_coarse - first_coarse) + 1, kCoarseSlots);
  for (uint64_t i = 0; i < coarse; ++i) {
    coarse_[(static_cast<uint64_t>(first_coarse) + i) & (kCoarseSlots - 1)].fetch_add(
        1, std::memory_order_release);
  }
}

uint64_t BucketGenerations::SumFine(int64_t first, int64_t last) const {
  return Sum(fine_.get(), kFineSlots, first, last);
}

uint64_t BucketGenerations::SumCoarse(int64_t first, int64_t last) const {
  return Sum(coarse_.get(), kCoarseSlots, first, last);
}

uint64_t BucketGenerations::Read(TimeRange range) const {
  if (range.empty()) return 0;
  const int64_t first = range.begin_ns >> kFineShift;
  const int64_t last = (range.end_ns - 1) >> kFineShift;
  // The whole coarse buckets in between.
  constexpr int64_t kFinePerCoarse = int64_t{1} << kFinePerCoarseShift;
  const int64_t first_whole = (first + kFinePerCoarse - 1) >> kFinePerCoarseShift;
  const int64_t end_whole = (last + 1) >> kFinePerCoarseShift;
  if (first_whole >= end_whole) return SumFine(first, last);
  return SumFine(first, (first_whole << kFinePerCoarseShift) - 1) + SumCoarse(first_whole, end_whole - 1) +
         SumFine(end_whole << kFinePerCoarseShift, last);
}

}  // namespace varve
