#include "engine/index/series_days.h"

#include <algorithm>

#include "engine/base/check.h"

namespace varve {

void SeriesDays::Mark(SeriesOrdinal series, DayRange days) {
  VARVE_CHECK(int64_t{days.last} - days.first < kMarkedDaysMax);
  for (int64_t day = days.first; day <= days.last; ++day) {
    std::unique_ptr<Words>& words = days_[static_cast<int32_t>(day)][series / kBits];
    if (words == nullptr) words = std::make_unique<Words>();
    (*words)[series % kBits / 64] |= uint64_t{1} << (series % 64);
  }
}

bool SeriesDays::Has(SeriesOrdinal series, int32_t day) const {
  const auto bitmap = days_.find(day);
  if (bitmap == days_.end()) return false;
  const auto words = bitmap->second.find(series / kBits);
  return words != bitmap->second.end() && ((*words->second)[series % kBits / 64] >> (series % 64) & 1) != 0;
}

void SeriesDays::Filter(DayRange days, std::vector<SeriesOrdinal>* series) const {
  const auto first = days_.lower_bound(days.first);
  const auto last = days_.upper_bound(days.last);
  Words any{};
  uint32_t chunk = UINT32_MAX;
  std::erase_if(*series, [&](SeriesOrdinal ordinal) {
    if (ordinal / kBits != chunk) {
      chunk = ordinal / kBits;
      any.fill(0);
      for (auto day = first; day != last; ++day) {
        const auto words = day->second.find(chunk);
        if (words == day->second.end()) continue;
        for (uint32_t i = 0; i < kWords; ++i) any[i] |= (*words->second)[i];
      }
    }
    return (any[ordinal % kBits / 64] >> (ordinal % 64) & 1) == 0;
  });
}

size_t SeriesDays::MemoryBytes() const {
  constexpr size_t kNodeBytes = 48;
  size_t bytes = 0;
  for (const auto& [day, bitmap] : days_) bytes += kNodeBytes + bitmap.size() * (sizeof(Words) + kNodeBytes);
  return bytes;
}

}  // namespace varve
