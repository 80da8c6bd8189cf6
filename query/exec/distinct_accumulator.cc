#include "query/exec/distinct_accumulator.h"

#include <xxhash.h>

#include <algorithm>

namespace varve {
namespace {

constexpr size_t kDropRepeatedFrom = 256;

}  // namespace

uint64_t TextHash(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

void DistinctAccumulator::Column::Add(const Occurrence& occurrence) {
  // Neighbouring rows tend to have the same text.
  if (!occurrences.empty() && occurrences.back() == occurrence) return;
  occurrences.push_back(occurrence);
  if (occurrences.size() >= std::max(kDropRepeatedFrom, 2 * unique_at_most)) DropRepeated();
}

void DistinctAccumulator::Column::DropRepeated() {
  std::sort(occurrences.begin(), occurrences.end());
  occurrences.erase(std::unique(occurrences.begin(), occurrences.end()), occurrences.end());
  unique_at_most = occurrences.size();
}

DistinctAccumulator::Column& DistinctAccumulator::Of(uint32_t series) {
  if (series >= columns_.size()) columns_.resize(series + 1);
  return columns_[series];
}

void DistinctAccumulator::AddRows(uint32_t, uint32_t, uint64_t, uint64_t) { VARVE_CHECK(false); }

void DistinctAccumulator::AddValue(uint32_t, uint32_t, const RowValue&) { VARVE_CHECK(false); }

void DistinctAccumulator::AddText(uint32_t series, uint32_t interval, uint64_t hash) {
  Of(series).Add({hash, interval});
}

void DistinctAccumulator::MergeFrom(WindowAccumulator& other, std::span<const uint32_t> series_map) {
  auto& distinct = static_cast<DistinctAccumulator&>(other);
  for (size_t i = 0; i < distinct.columns_.size(); ++i) {
    Column& to = Of(series_map[i]);
    Column from = std::move(distinct.columns_[i]);
    distinct.columns_[i] = {};
    if (to.occurrences.empty()) {
      to = std::move(from);
      continue;
    }
    to.occurrences.insert(to.occurrences.end(), from.occurrences.begin(), from.occurrences.end());
    to.DropRepeated();
  }
}

void DistinctAccumulator::Finish(uint32_t series, std::vector<StepPoint>* out) {
  if (series >= columns_.size()) return;
  Column column = std::move(columns_[series]);
  columns_[series] = {};
  column.DropRepeated();
  const std::vector<Occurrence>& all = column.occurrences;
  if (all.empty()) return;
  std::vector<int64_t> change(grid_.step_count() + 1);  // of the count, from each step to the next
  for (size_t i = 0; i < all.size(); ++i) {
    const WindowGrid::Steps steps = grid_.StepsOf(all[i].interval);
    uint32_t end = steps.last + 1;
    const bool again = i + 1 < all.size() && all[i + 1].hash == all[i].hash;
    if (again) end = std::min(end, grid_.StepsOf(all[i + 1].interval).first);
    if (end <= steps.first) continue;
    ++change[steps.first];
    --change[end];
  }
  int64_t count = 0;
  for (uint32_t step = 0; step < grid_.step_count(); ++step) {
    count += change[step];
    if (count != 0) out->push_back({step, static_cast<double>(count)});
  }
}

int64_t DistinctAccumulator::MemoryBytes() const {
  int64_t bytes = 0;
  for (const Column& column : columns_) {
    bytes += static_cast<int64_t>(sizeof(column) + column.occurrences.capacity() * sizeof(Occurrence));
  }
  return bytes;
}

}  // namespace varve
