// How many samples and bytes a query holds, against its limits; and the counts of QueryStats.
//
// A float is one sample; a native histogram counts as many as its size says. Charges go back when what they stand
// for is freed.
// Threads: one thread, the query's own; the budget is thread-safe by itself.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/base/memory_budget.h"
#include "engine/base/status.h"

namespace varve::promql {

// What evaluating read, counted as Prometheus's totalQueryableSamples.
struct SampleStats {
  uint64_t total = 0;
  std::vector<uint64_t> per_step;  // empty: not wanted

  void Count(size_t step, uint64_t samples) {
    total += samples;
    if (!per_step.empty()) per_step[step] += samples;
  }
  void Merge(const SampleStats& other) {
    total += other.total;
    for (size_t i = 0; i < per_step.size() && i < other.per_step.size(); ++i) per_step[i] += other.per_step[i];
  }
  // Zeroes, as long as `like`'s.
  static SampleStats Like(const SampleStats& like) { return {0, std::vector<uint64_t>(like.per_step.size())}; }
};

class SampleTracker {
 public:
  // `samples_max` 0: no limit.
  SampleTracker(uint64_t samples_max, MemoryBudget* budget) : samples_max_(samples_max), budget_(budget) {}

  // kExecution: too many samples; kResourceExhausted: no room in the budget. Nothing is taken then.
  Status Take(uint64_t samples, int64_t bytes);
  void Release(uint64_t samples, int64_t bytes);
  // Notes samples that are there for a moment, beside those held.
  Status Pass(uint64_t samples);
  // The same for the statistics alone: what Prometheus would hold where this engine does not.
  void NotePeak(uint64_t samples) { peak_ = std::max(peak_, held_ + samples); }

  uint64_t samples_max() const { return samples_max_; }
  uint64_t peak_samples() const { return peak_; }
  MemoryBudget* budget() const { return budget_; }

 private:
  const uint64_t samples_max_;
  MemoryBudget* const budget_;
  uint64_t held_ = 0;
  uint64_t peak_ = 0;
};

// Samples and bytes held until it is destroyed.
class Charge {
 public:
  explicit Charge(SampleTracker* tracker) : tracker_(tracker) {}
  ~Charge() { Clear(); }
  Charge(Charge&& other) noexcept
      : tracker_(other.tracker_), samples_(std::exchange(other.samples_, 0)), bytes_(std::exchange(other.bytes_, 0)) {}
  Charge& operator=(Charge&& other) noexcept;

  Status Add(uint64_t samples, int64_t bytes);
  void Clear();

 private:
  SampleTracker* tracker_;
  uint64_t samples_ = 0;
  int64_t bytes_ = 0;
};

// The text of Prometheus for more than samples_max.
Status TooManySamples();

}  // namespace varve::promql
