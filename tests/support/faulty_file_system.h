// A file system for RocksDB that fails on purpose: the n-th change to the disk from now on, and as many
// after it as told.
//
// A *change* is the creation, append, sync, close, rename, link, truncation or removal of a file or the sync
// of a directory. Sweeping n from 1 until nothing fails any more passes every error path of an operation.
// Threads: thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>

namespace rocksdb {
class Env;
}

namespace varve {

class FaultyFileSystem {
 public:
  enum class Fault { kIoError, kNoSpace };

  FaultyFileSystem();
  ~FaultyFileSystem();
  FaultyFileSystem(const FaultyFileSystem&) = delete;
  FaultyFileSystem& operator=(const FaultyFileSystem&) = delete;

  // Lives as long as this object.
  rocksdb::Env* env() const;

  // The n-th change from now on fails (the first is 1), and `more` after it.
  void FailAt(uint64_t n, Fault fault, uint64_t more = 0);
  void StopFailing() { FailAt(std::numeric_limits<uint64_t>::max(), Fault::kIoError); }
  // Since FailAt was called.
  uint64_t changes() const;
  uint64_t failures() const;

 private:
  class FileSystem;
  struct State;
  const std::shared_ptr<State> state_;
  const std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace varve
