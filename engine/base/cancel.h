// Tells a long-running operation to stop: the client went away, or its deadline passed.
//
// The owner calls Cancel(), possibly from another thread; the worker polls Check() at least once per
// block or per few thousand rows. `cancelled_` is written once (release is not needed: nothing else
// is published through it) and read relaxed.
// Threads: thread-safe.
#pragma once

#include <atomic>
#include <chrono>

#include "engine/base/status.h"

namespace varve {

class CancelToken {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  CancelToken() = default;  // never expires by itself
  explicit CancelToken(SteadyTime deadline) : deadline_(deadline) {}

  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  // kCancelled, kDeadlineExceeded or ok. Reads the clock: about 25 ns.
  Status Check() const {
    if (cancelled_.load(std::memory_order_relaxed)) [[unlikely]] {
      return Cancelled("the request was cancelled by the client");
    }
    if (deadline_ != SteadyTime::max() && std::chrono::steady_clock::now() > deadline_) [[unlikely]] {
      return DeadlineExceeded(
          "request timed out, decrease the duration of the request or add more label matchers "
          "(prefer exact match over regex match) to reduce the amount of data processed");
    }
    return Status::Ok();
  }

 private:
  std::atomic<bool> cancelled_{false};
  const SteadyTime deadline_ = SteadyTime::max();
};

}  // namespace varve
