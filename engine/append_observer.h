// Who wants to hear of entries as they become readable: the live tail.
//
// Ownership: the engine borrows its observer (Engine::SetAppendObserver).
#pragma once

#include "engine/append_batch.h"

namespace varve {

class AppendObserver {
 public:
  virtual ~AppendObserver() = default;

  // On the thread that appends: after the batch's entries are in the heads, before Append returns. The
  // batch's views end with the call. No lock of the engine is held, but the push waits for it, so it must be
  // quick. Called from several threads at once. What is replayed at start is not reported.
  virtual void OnAppend(const AppendBatch& batch) = 0;
};

}  // namespace varve
