#include "engine/base/memory_budget.h"

namespace varve {
namespace {

void RaiseTo(std::atomic<int64_t>& peak, int64_t value) {
  int64_t seen = peak.load(std::memory_order_relaxed);
  while (seen < value && !peak.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

}  // namespace

Status MemoryBudget::Reserve(int64_t bytes) {
  const int64_t used = used_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  if (used > limit_bytes_) {
    used_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    return ResourceExhausted("memory budget '" + name_ + "' exhausted: " + std::to_string(used - bytes) +
                             " of " + std::to_string(limit_bytes_) + " bytes in use, " +
                             std::to_string(bytes) + " more wanted");
  }
  if (parent_ != nullptr) {
    Status status = parent_->Reserve(bytes);
    if (!status.ok()) {
      used_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
      return status;
    }
  }
  RaiseTo(peak_bytes_, used);
  return Status::Ok();
}

void MemoryBudget::ForceReserve(int64_t bytes) {
  RaiseTo(peak_bytes_, used_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes);
  if (parent_ != nullptr) parent_->ForceReserve(bytes);
}

void MemoryBudget::Release(int64_t bytes) {
  const int64_t before = used_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  VARVE_DCHECK(before >= bytes);
  if (parent_ != nullptr) parent_->Release(bytes);
}

}  // namespace varve
