// Mutexes that clang's -Wthread-safety can check; libstdc++'s own are not annotated.
//
// Threads: thread-safe, as std::mutex and std::shared_mutex, which they wrap.
#pragma once

#include <condition_variable>
#include <mutex>
#include <shared_mutex>

#if defined(__clang__)
#define VARVE_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define VARVE_THREAD_ANNOTATION(x)
#endif
#define VARVE_CAPABILITY(x) VARVE_THREAD_ANNOTATION(capability(x))
#define VARVE_SCOPED_CAPABILITY VARVE_THREAD_ANNOTATION(scoped_lockable)
#define VARVE_GUARDED_BY(x) VARVE_THREAD_ANNOTATION(guarded_by(x))
#define VARVE_REQUIRES(...) VARVE_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define VARVE_REQUIRES_SHARED(...) VARVE_THREAD_ANNOTATION(requires_shared_capability(__VA_ARGS__))
#define VARVE_EXCLUDES(...) VARVE_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define VARVE_ACQUIRE(...) VARVE_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define VARVE_ACQUIRE_SHARED(...) VARVE_THREAD_ANNOTATION(acquire_shared_capability(__VA_ARGS__))
#define VARVE_RELEASE(...) VARVE_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define VARVE_RELEASE_GENERIC(...) VARVE_THREAD_ANNOTATION(release_generic_capability(__VA_ARGS__))
#define VARVE_NO_THREAD_SAFETY_ANALYSIS VARVE_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace varve {

class VARVE_CAPABILITY("mutex") Mutex {
 public:
  void Lock() VARVE_ACQUIRE() { mu_.lock(); }
  void Unlock() VARVE_RELEASE() { mu_.unlock(); }
  std::mutex& native() { return mu_; }

 private:
  std::mutex mu_;
};

class VARVE_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mu) VARVE_ACQUIRE(mu) : mu_(mu) { mu_.Lock(); }
  ~MutexLock() VARVE_RELEASE() { mu_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mu_;
};

class VARVE_CAPABILITY("shared_mutex") SharedMutex {
 public:
  void Lock() VARVE_ACQUIRE() { mu_.lock(); }
  void Unlock() VARVE_RELEASE() { mu_.unlock(); }
  void LockShared() VARVE_ACQUIRE_SHARED() { mu_.lock_shared(); }
  void UnlockShared() VARVE_RELEASE_GENERIC() { mu_.unlock_shared(); }

 private:
  std::shared_mutex mu_;
};

class VARVE_SCOPED_CAPABILITY WriterLock {
 public:
  explicit WriterLock(SharedMutex& mu) VARVE_ACQUIRE(mu) : mu_(mu) { mu_.Lock(); }
  ~WriterLock() VARVE_RELEASE() { mu_.Unlock(); }
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  SharedMutex& mu_;
};

class VARVE_SCOPED_CAPABILITY ReaderLock {
 public:
  explicit ReaderLock(SharedMutex& mu) VARVE_ACQUIRE_SHARED(mu) : mu_(mu) { mu_.LockShared(); }
  ~ReaderLock() VARVE_RELEASE_GENERIC() { mu_.UnlockShared(); }
  ReaderLock(const ReaderLock&) = delete;
  ReaderLock& operator=(const ReaderLock&) = delete;

 private:
  SharedMutex& mu_;
};

// Waits on a Mutex held by the caller.
class CondVar {
 public:
  void Wait(Mutex& mu) VARVE_REQUIRES(mu) VARVE_NO_THREAD_SAFETY_ANALYSIS { cv_.wait(mu.native()); }
  // False on timeout.
  template <typename Duration>
  bool WaitFor(Mutex& mu, Duration timeout) VARVE_REQUIRES(mu) VARVE_NO_THREAD_SAFETY_ANALYSIS {
    return cv_.wait_for(mu.native(), timeout) == std::cv_status::no_timeout;
  }
  void NotifyOne() { cv_.notify_one(); }
  void NotifyAll() { cv_.notify_all(); }

 private:
  std::condition_variable_any cv_;
};

}  // namespace varve
