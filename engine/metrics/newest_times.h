// For each series the latest time of its samples that are not in the active head: what is later needs no look-up.
//
// 8 bytes a series that has been written to since the start.
// Threads: an element belongs to the append_mu of its series' shard; different elements may be used at once.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/index/series_table.h"
#include "engine/metric_batch.h"

namespace varve {

class NewestTimes {
 public:
  NewestTimes() : pages_(std::make_unique<std::atomic<Page*>[]>(SeriesTable::kSeriesMax / kPageSeries)) {}

  // Nothing when it is not known.
  std::optional<int64_t> Get(SeriesOrdinal series) const {
    const Page* const page = pages_[series / kPageSeries].load(std::memory_order_acquire);
    if (page == nullptr || (*page)[series % kPageSeries] == kUnknown) return std::nullopt;
    return (*page)[series % kPageSeries];
  }
  void Set(SeriesOrdinal series, int64_t newest_ms) VARVE_EXCLUDES(mu_) {
    std::atomic<Page*>& at = pages_[series / kPageSeries];
    Page* page = at.load(std::memory_order_acquire);
    if (page == nullptr) {
      const MutexLock lock(mu_);
      page = at.load(std::memory_order_relaxed);
      if (page == nullptr) {
        owned_.push_back(std::make_unique<Page>());
        page = owned_.back().get();
        page->fill(kUnknown);
        at.store(page, std::memory_order_release);
      }
    }
    (*page)[series % kPageSeries] = newest_ms;
  }

 private:
  static constexpr size_t kPageSeries = 1024;
  static constexpr int64_t kUnknown = INT64_MIN;
  using Page = std::array<int64_t, kPageSeries>;

  std::unique_ptr<std::atomic<Page*>[]> pages_;
  Mutex mu_;
  std::vector<std::unique_ptr<Page>> owned_ VARVE_GUARDED_BY(mu_);
};

}  // namespace varve
