// On which days (UTC) each series has samples: a bitmap a day, made only where a bit is set.
//
// Threads: thread-compatible; SeriesTable guards it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/metric_batch.h"

namespace varve {

struct DayRange {
  int32_t first = INT32_MIN;
  int32_t last = INT32_MAX;  // belongs to it
  bool IsUnbounded() const { return first == INT32_MIN && last == INT32_MAX; }
};

class SeriesDays {
 public:
  // At most as many days as hold something are visited; `days` must span no more than kMarkedDaysMax.
  void Mark(SeriesOrdinal series, DayRange days);
  // Keeps of `series` (ascending) those with a bit on any of the days.
  void Filter(DayRange days, std::vector<SeriesOrdinal>* series) const;
  bool Has(SeriesOrdinal series, int32_t day) const;
  size_t MemoryBytes() const;

  static constexpr int64_t kMarkedDaysMax = 366;

 private:
  static constexpr uint32_t kWords = 64;
  static constexpr uint32_t kBits = kWords * 64;
  using Words = std::array<uint64_t, kWords>;
  using Bitmap = std::unordered_map<uint32_t, std::unique_ptr<Words>>;  // by series / kBits

  std::map<int32_t, Bitmap> days_;
};

}  // namespace varve
