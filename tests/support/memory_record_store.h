// A RecordStore in memory. Threads: thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/record_store.h"

namespace varve {

class MemoryRecordStore final : public RecordStore {
 public:
  Status WriteRecords(const std::vector<Record>& put, const std::vector<std::string>& removed) override {
    const MutexLock lock(mu_);
    if (!failure_.ok()) return failure_.Clone();
    if (writes_left_ == 0) return Status::Ok();
    --writes_left_;
    for (const Record& record : put) records_[record.key] = record.value;
    for (const std::string& key : removed) records_.erase(key);
    return Status::Ok();
  }
  Status ForEachRecord(
      std::string_view prefix,
      const std::function<Status(std::string_view key, std::string_view value)>& fn) const override {
    std::map<std::string, std::string> copy;
    {
      const MutexLock lock(mu_);
      copy = records_;
    }
    for (auto at = copy.lower_bound(std::string(prefix)); at != copy.end() && at->first.starts_with(prefix); ++at) {
      VARVE_RETURN_IF_ERROR(fn(at->first, at->second));
    }
    return Status::Ok();
  }
  size_t size() const {
    const MutexLock lock(mu_);
    return records_.size();
  }
  // As if the process were killed after so many more writes: later ones are lost without a word.
  void KillAfter(uint64_t writes) {
    const MutexLock lock(mu_);
    writes_left_ = writes;
  }
  bool killed() const {
    const MutexLock lock(mu_);
    return writes_left_ == 0;
  }
  // Ok: writes succeed again.
  void FailWrites(Status status) {
    const MutexLock lock(mu_);
    failure_ = std::move(status);
  }

 private:
  mutable Mutex mu_;
  std::map<std::string, std::string> records_ VARVE_GUARDED_BY(mu_);
  Status failure_ VARVE_GUARDED_BY(mu_);
  uint64_t writes_left_ VARVE_GUARDED_BY(mu_) = UINT64_MAX;
};

}  // namespace varve
