#include "engine/base/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <memory>

namespace varve {

ThreadPool::ThreadPool(std::string name, size_t thread_count, size_t queue_max)
    : name_(std::move(name)), queue_max_(queue_max) {
  threads_.reserve(thread_count);
  for (size_t i = 0; i < thread_count; ++i) threads_.emplace_back([this] { Run(); });
}

ThreadPool::~ThreadPool() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  work_or_stop_.NotifyAll();
  for (std::thread& thread : threads_) thread.join();
}

bool ThreadPool::TrySubmit(std::function<void()> task) {
  {
    MutexLock lock(mu_);
    if (stopping_ || queue_.size() >= queue_max_) return false;
    queue_.push_back(std::move(task));
  }
  work_or_stop_.NotifyOne();
  return true;
}

size_t ThreadPool::queued() const {
  MutexLock lock(mu_);
  return queue_.size();
}

void ThreadPool::Run() {
  pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
  for (;;) {
    std::function<void()> task;
    {
      MutexLock lock(mu_);
      while (queue_.empty() && !stopping_) work_or_stop_.Wait(mu_);
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    try {
      task();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "thread pool %s: task threw: %s\n", name_.c_str(), e.what());
    }
  }
}

void ThreadPool::ParallelFor(size_t count, const std::function<void(size_t)>& body, size_t parallelism) {
  if (count == 0) return;
  struct Shared {
    std::atomic<size_t> next{0};
    size_t done = 0;
    Mutex mu;
    CondVar all_done;
  };
  // Helpers may start after the caller has finished all the work, hence shared ownership; they touch
  // `body` only after winning an index, and the caller waits for every index that was won.
  auto shared = std::make_shared<Shared>();
  auto work = [shared, count, &body] {
    for (;;) {
      const size_t i = shared->next.fetch_add(1, std::memory_order_relaxed);
      if (i >= count) return;
      body(i);
      MutexLock lock(shared->mu);
      if (++shared->done == count) shared->all_done.NotifyAll();
    }
  };
  size_t helpers = std::min(count - 1, threads_.size());
  if (parallelism != 0) helpers = std::min(helpers, parallelism - 1);
  for (size_t i = 0; i < helpers; ++i) {
    if (!TrySubmit(work)) break;
  }
  work();
  MutexLock lock(shared->mu);
  while (shared->done != count) shared->all_done.Wait(shared->mu);
}

}  // namespace varve
