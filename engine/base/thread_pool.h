// A fixed number of threads that run tasks from one bounded queue. All of Varve's threads come from
// pools like this one (and the HTTP server's I/O threads).
//
// Threads: thread-safe. Ownership: the destructor runs what is queued, then joins.
// A task must not throw; one that does is logged by the pool's `on_exception` and swallowed.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/mutex.h"

namespace varve {

class ThreadPool {
 public:
  // `name` shows in `top -H` (15 bytes at most). `queue_max` bounds waiting tasks.
  ThreadPool(std::string name, size_t thread_count, size_t queue_max = 1 << 16);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // False when the queue is full or the pool is stopping; the task was not taken.
  [[nodiscard]] bool TrySubmit(std::function<void()> task) VARVE_EXCLUDES(mu_);

  // Runs body(0) … body(count - 1) on this pool's threads and the caller's, and returns when all are
  // done. Safe to call from a pool thread: the caller works too, so progress never waits for a slot.
  // At most `parallelism` of them run at once (0 = as many as there are threads, plus the caller).
  void ParallelFor(size_t count, const std::function<void(size_t)>& body, size_t parallelism = 0);

  size_t thread_count() const { return threads_.size(); }
  size_t queued() const VARVE_EXCLUDES(mu_);

 private:
  void Run();

  const std::string name_;
  const size_t queue_max_;
  mutable Mutex mu_;
  CondVar work_or_stop_;
  std::deque<std::function<void()>> queue_ VARVE_GUARDED_BY(mu_);
  bool stopping_ VARVE_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;  // constant after construction
};

}  // namespace varve
