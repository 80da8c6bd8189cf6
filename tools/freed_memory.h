// How the process gives freed memory back to the system.
//
// Push bodies, decoded batches and decoded blocks are large, live from milliseconds to minutes, and are freed by other
// threads than took them. glibc keeps what lies free between them: in half an hour of full load 1.8 GB were
// resident of which 0.75 GB were in use.
// Threads: FreedMemoryReturner has one of its own; construct and destroy it on one thread.
#pragma once

#include <chrono>

#include "engine/base/mutex.h"
#include "engine/base/thread_pool.h"

namespace varve {

// Bounds what glibc keeps; to be called before any thread starts.
void BoundMallocRetention();

// Returns free pages to the system every `interval`, for as long as it lives.
class FreedMemoryReturner {
 public:
  explicit FreedMemoryReturner(std::chrono::milliseconds interval);
  ~FreedMemoryReturner();
  FreedMemoryReturner(const FreedMemoryReturner&) = delete;
  FreedMemoryReturner& operator=(const FreedMemoryReturner&) = delete;

 private:
  void Run(std::chrono::milliseconds interval);

  Mutex mu_;
  CondVar wake_;
  bool stopping_ VARVE_GUARDED_BY(mu_) = false;
  ThreadPool thread_;  // last: it ends before what it uses
};

}  // namespace varve
