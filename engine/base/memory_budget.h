// A named share of the process's memory, in bytes, that work must reserve before it allocates.
//
// Budgets form a tree: the engine's total has children (journal, heads, block cache, queries…); a
// reservation counts against the node and all its ancestors and fails with kResourceExhausted,
// naming the budget, when any of them would exceed its limit. Counters are relaxed atomics: they
// publish no data, and an overshoot by a racing reservation is undone by the one that loses.
// Threads: thread-safe. Ownership: a child must not outlive its parent.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "engine/base/status.h"

namespace varve {

class MemoryBudget {
 public:
  MemoryBudget(std::string name, int64_t limit_bytes, MemoryBudget* parent = nullptr)
      : name_(std::move(name)), limit_bytes_(limit_bytes), parent_(parent) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  Status Reserve(int64_t bytes);
  // Counts bytes that exist whether or not there is room (a head that must take a journalled entry).
  void ForceReserve(int64_t bytes);
  void Release(int64_t bytes);

  const std::string& name() const { return name_; }
  int64_t limit_bytes() const { return limit_bytes_; }
  int64_t used_bytes() const { return used_bytes_.load(std::memory_order_relaxed); }
  int64_t peak_bytes() const { return peak_bytes_.load(std::memory_order_relaxed); }

 private:
  const std::string name_;
  const int64_t limit_bytes_;
  MemoryBudget* const parent_;
  std::atomic<int64_t> used_bytes_{0};
  std::atomic<int64_t> peak_bytes_{0};
};

// Holds a reservation and gives it back; grows with Add.
class MemoryReservation {
 public:
  explicit MemoryReservation(MemoryBudget* budget) : budget_(budget) {}
  ~MemoryReservation() { if (bytes_ != 0) budget_->Release(bytes_); }
  MemoryReservation(const MemoryReservation&) = delete;
  MemoryReservation& operator=(const MemoryReservation&) = delete;

  Status Add(int64_t bytes) {
    VARVE_RETURN_IF_ERROR(budget_->Reserve(bytes));
    bytes_ += bytes;
    return Status::Ok();
  }
  int64_t bytes() const { return bytes_; }

 private:
  MemoryBudget* const budget_;
  int64_t bytes_ = 0;
};

}  // namespace varve
