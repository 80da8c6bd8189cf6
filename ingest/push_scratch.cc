#include "ingest/push_scratch.h"

namespace varve {
namespace {

template <typename T>
void Trim(std::vector<T>* items, size_t keep_bytes) {
  items->clear();
  if (items->capacity() * sizeof(T) > keep_bytes) std::vector<T>().swap(*items);
}

}  // namespace

void PushScratch::Clear() {
  outer.ClearAndTrim(kKeepBytes);
  inner.ClearAndTrim(kKeepBytes);
  packed.ClearAndTrim(kKeepBytes);
  Trim(&decoded.streams, kKeepBytes);
  Trim(&decoded.entries, kKeepBytes);
  Trim(&decoded.metadata, kKeepBytes);
  Trim(&decoded.pairs, kKeepBytes);
  Trim(&streams, kKeepBytes);
  rejects.Clear();
  Trim(&batch.streams, kKeepBytes);
  Trim(&batch.entries, kKeepBytes);
  arena.Reset(nullptr);
  record.clear();
  if (record.capacity() > kKeepBytes) std::string().swap(record);
}

PushScratchPool::Lease PushScratchPool::Take() {
  std::unique_ptr<PushScratch> scratch;
  {
    MutexLock lock(mu_);
    if (!idle_.empty()) {
      scratch = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (scratch == nullptr) scratch = std::make_unique<PushScratch>();
  return Lease(this, std::move(scratch));
}

void PushScratchPool::Return(std::unique_ptr<PushScratch> scratch) {
  scratch->Clear();
  MutexLock lock(mu_);
  if (idle_.size() < kIdleMax) idle_.push_back(std::move(scratch));
}

}  // namespace varve
