// count_distinct_over_time: how many different texts each window of a series saw.
//
// Texts are kept as 64-bit hashes (xxh3), one for each elementary interval that has the text. Two different
// texts share a hash with a probability of n²/2⁶⁵ for n texts: 3 in a hundred million for a million of them,
// so that counts are exact for every practical purpose; when it happens a count is one too low. A window's
// count is the number of texts whose *last* occurrence in it exists: each occurrence counts for the steps
// whose windows hold it but not the next of the same text, which is one run of steps. So one sort by text and
// one running sum give all windows, however much they overlap. Threads: thread-compatible; one per thread,
// merged at the end.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "query/exec/window_accumulators.h"

namespace varve {

uint64_t TextHash(std::string_view text);

class DistinctAccumulator final : public WindowAccumulator {
 public:
  explicit DistinctAccumulator(const WindowGrid& grid) : grid_(grid) {}

  void AddRows(uint32_t series, uint32_t interval, uint64_t rows, uint64_t line_bytes) override;
  void AddValue(uint32_t series, uint32_t interval, const RowValue& value) override;
  void AddText(uint32_t series, uint32_t interval, uint64_t hash) override;
  void MergeFrom(WindowAccumulator& other, std::span<const uint32_t> series_map) override;
  void Finish(uint32_t series, std::vector<StepPoint>* out) override;
  int64_t MemoryBytes() const override;

 private:
  struct Occurrence {
    uint64_t hash;
    uint32_t interval;

    auto operator<=>(const Occurrence&) const = default;
  };
  // Occurrences of one series; those that repeat are dropped whenever their number has doubled.
  struct Column {
    std::vector<Occurrence> occurrences;
    size_t unique_at_most = 0;  // how many there were after the last dropping

    void Add(const Occurrence& occurrence);
    void DropRepeated();
  };

  Column& Of(uint32_t series);

  const WindowGrid& grid_;
  std::vector<Column> columns_;
};

}  // namespace varve
