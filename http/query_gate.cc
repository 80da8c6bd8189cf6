#include "http/query_gate.h"

#include <algorithm>
#include <chrono>

namespace varve {

Status QueryGate::Enter(const CancelToken* cancel, int64_t timeout_ms) {
  using std::chrono::milliseconds;
  using std::chrono::steady_clock;
  // A token has nobody to wake; so the wait looks at it from time to time.
  constexpr auto kLook = milliseconds(50);
  const auto deadline = steady_clock::now() + milliseconds(timeout_ms);
  const MutexLock lock(mu_);
  Status status;
  ++waiting_;
  while (places_ != 0 && inside_ >= places_) {
    if (cancel != nullptr) status = cancel->Check();
    if (!status.ok()) break;
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) {
      status = DeadlineExceeded("query timed out in query queue");
      break;
    }
    left_.WaitFor(mu_, std::min(left, milliseconds(kLook)));
  }
  --waiting_;
  if (status.ok()) ++inside_;
  return status;
}

void QueryGate::Leave() {
  const MutexLock lock(mu_);
  --inside_;
  left_.NotifyOne();
}

size_t QueryGate::waiting() const {
  const MutexLock lock(mu_);
  return waiting_;
}

}  // namespace varve
