// How many queries run at once; the others wait for a place.
//
//   GatePlace place(&gate);
//   VARVE_RETURN_IF_ERROR(place.Enter(request.cancel, timeout_ms));   // left when `place` goes
//
// Threads: thread-safe. Ownership: a gate outlives its places.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/cancel.h"
#include "engine/base/mutex.h"
#include "engine/base/status.h"

namespace varve {

class QueryGate {
 public:
  explicit QueryGate(size_t places) : places_(places) {}  // 0: no limit

  // kCancelled; kDeadlineExceeded after `timeout_ms`.
  Status Enter(const CancelToken* cancel, int64_t timeout_ms) VARVE_EXCLUDES(mu_);
  void Leave() VARVE_EXCLUDES(mu_);
  size_t waiting() const VARVE_EXCLUDES(mu_);

 private:
  const size_t places_;
  mutable Mutex mu_;
  CondVar left_;
  size_t inside_ VARVE_GUARDED_BY(mu_) = 0;
  size_t waiting_ VARVE_GUARDED_BY(mu_) = 0;
};

class GatePlace {
 public:
  explicit GatePlace(QueryGate* gate) : gate_(gate) {}  // null: there is always room
  ~GatePlace() {
    if (inside_) gate_->Leave();
  }
  GatePlace(const GatePlace&) = delete;
  GatePlace& operator=(const GatePlace&) = delete;

  Status Enter(const CancelToken* cancel, int64_t timeout_ms) {
    if (gate_ == nullptr) return Status::Ok();
    VARVE_RETURN_IF_ERROR(gate_->Enter(cancel, timeout_ms));
    inside_ = true;
    return Status::Ok();
  }

 private:
  QueryGate* const gate_;
  bool inside_ = false;
};

}  // namespace varve
