// The share of the ingest budget that one request holds while it is decoded and appended.
//
// Everything whose size the sender decides (decoded bodies, entry tables, unescaped strings) is added
// here before it is allocated. Replay decodes what is already journalled, so it takes its memory whether
// or not there is room.
// Threads: thread-compatible. Ownership: the budget must outlive this.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/memory_budget.h"
#include "engine/base/status.h"

namespace varve {

class DecodeMemory {
 public:
  enum class Mode { kMayRefuse, kForced };

  DecodeMemory(MemoryBudget* budget, Mode mode) : budget_(budget), mode_(mode) {}
  ~DecodeMemory() {
    if (bytes_ != 0) budget_->Release(bytes_);
  }
  DecodeMemory(const DecodeMemory&) = delete;
  DecodeMemory& operator=(const DecodeMemory&) = delete;

  // kResourceExhausted: no room now. kTooLarge: the whole budget would not be enough for this request,
  // so that repeating it is useless.
  Status Add(int64_t bytes) {
    if (mode_ == Mode::kForced) {
      budget_->ForceReserve(bytes);
    } else if (bytes_ + bytes > budget_->limit_bytes()) {
      return TooLarge("request body too large: decoding it takes more than the " +
                      std::to_string(budget_->limit_bytes()) + " bytes of memory budget '" + budget_->name() +
                      "'");
    } else {
      VARVE_RETURN_IF_ERROR(budget_->Reserve(bytes));
    }
    bytes_ += bytes;
    return Status::Ok();
  }

  int64_t bytes() const { return bytes_; }

 private:
  MemoryBudget* const budget_;
  const Mode mode_;
  int64_t bytes_ = 0;
};

// push_back that pays for growth first.
template <typename T>
inline Status PushBack(std::vector<T>* items, T item, DecodeMemory* memory) {
  if (items->size() == items->capacity()) [[unlikely]] {
    const size_t capacity = items->empty() ? 256 : items->capacity() * 2;
    VARVE_RETURN_IF_ERROR(memory->Add(static_cast<int64_t>(capacity * sizeof(T))));
    items->reserve(capacity);
  }
  items->push_back(std::move(item));
  return Status::Ok();
}

}  // namespace varve
