// The cells of one series by elementary interval: sparse while few are filled, an array once many are.
//
// A Cell is default-constructed empty and has bool empty() and void Merge(const Cell&), commutative.
// Threads: thread-compatible.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace varve {

template <typename Cell>
class IntervalColumn {
 public:
  using Entry = std::pair<uint32_t, Cell>;  // interval, cell

  // The cell to add to. Rows come mostly in ascending order of time, so the last cell is tried first; a
  // return to an earlier interval appends a second cell for it, which Sorted merges.
  Cell& At(uint32_t interval, uint32_t interval_count) {
    if (!dense_.empty()) return dense_[interval];
    if (!sparse_.empty() && sparse_.back().first == interval) return sparse_.back().second;
    if (sparse_.size() >= kSparseMin && sparse_.size() * 2 >= interval_count) {
      Densify(interval_count);
      return dense_[interval];
    }
    if (!sparse_.empty() && sparse_.back().first > interval) sorted_ = false;
    return sparse_.emplace_back(interval, Cell()).second;
  }

  void MergeFrom(const IntervalColumn& other, uint32_t interval_count) {
    for (const auto& [interval, cell] : other.sparse_) At(interval, interval_count).Merge(cell);
    for (uint32_t i = 0; i < other.dense_.size(); ++i) {
      if (!other.dense_[i].empty()) At(i, interval_count).Merge(other.dense_[i]);
    }
  }

  // The filled cells, ascending, one per interval. Leaves the column empty.
  std::vector<Entry> TakeSorted() {
    std::vector<Entry> cells = std::move(sparse_);
    if (!dense_.empty()) {
      cells.clear();
      for (uint32_t i = 0; i < dense_.size(); ++i) {
        if (!dense_[i].empty()) cells.emplace_back(i, std::move(dense_[i]));
      }
      dense_ = {};
    } else if (!sorted_) {
      MergeDuplicates(&cells);
    }
    return cells;
  }

  int64_t MemoryBytes() const {
    return static_cast<int64_t>(sizeof(*this) + sparse_.capacity() * sizeof(Entry) +
                                dense_.capacity() * sizeof(Cell));
  }

 private:
  static constexpr size_t kSparseMin = 8;

  void Densify(uint32_t interval_count) {
    dense_.resize(interval_count);
    for (const auto& [interval, cell] : sparse_) dense_[interval].Merge(cell);
    sparse_ = {};
  }

  static void MergeDuplicates(std::vector<Entry>* cells) {
    std::sort(cells->begin(), cells->end(), [](const Entry& a, const Entry& b) { return a.first < b.first; });
    size_t kept = 0;
    for (size_t i = 1; i < cells->size(); ++i) {
      if ((*cells)[i].first == (*cells)[kept].first) {
        (*cells)[kept].second.Merge((*cells)[i].second);
      } else if (++kept != i) {
        (*cells)[kept] = std::move((*cells)[i]);
      }
    }
    cells->resize(kept + 1);
  }

  std::vector<Entry> sparse_;
  std::vector<Cell> dense_;
  bool sorted_ = true;
};

}  // namespace varve
