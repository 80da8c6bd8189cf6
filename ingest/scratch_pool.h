// Memory that requests work in, kept from one to the next.
//
// `Scratch` is default-constructible and has Clear(), which forgets the request but keeps memory.
// Threads: the pool is thread-safe; a scratch belongs to one request at a time.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "engine/base/mutex.h"

namespace varve {

template <typename Scratch>
class ScratchPool {
 public:
  // Gives a scratch back at the end of its scope.
  class Lease {
   public:
    Lease(ScratchPool* pool, std::unique_ptr<Scratch> scratch) : pool_(pool), scratch_(std::move(scratch)) {}
    ~Lease() { pool_->Return(std::move(scratch_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Scratch* operator->() const { return scratch_.get(); }
    Scratch& operator*() const { return *scratch_; }

   private:
    ScratchPool* const pool_;
    std::unique_ptr<Scratch> scratch_;
  };

  Lease Take() {
    std::unique_ptr<Scratch> scratch;
    {
      const MutexLock lock(mu_);
      if (!idle_.empty()) {
        scratch = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (scratch == nullptr) scratch = std::make_unique<Scratch>();
    return Lease(this, std::move(scratch));
  }

 private:
  static constexpr size_t kIdleMax = 32;

  void Return(std::unique_ptr<Scratch> scratch) {
    scratch->Clear();
    const MutexLock lock(mu_);
    if (idle_.size() < kIdleMax) idle_.push_back(std::move(scratch));
  }

  Mutex mu_;
  std::vector<std::unique_ptr<Scratch>> idle_ VARVE_GUARDED_BY(mu_);
};

}  // namespace varve
