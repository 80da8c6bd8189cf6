// A RocksDB environment that fails on command and forgets what was not synced.
//
// Counts the calls that change the file system (creating, appending, syncing, renaming, linking,
// deleting, directory syncs). A plan lets the n-th of them fail, once or from then on. PowerCut cuts
// every file written through it back to what had been synced.
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/base/status.h"

namespace rocksdb {
class Env;
}

namespace varve {

class FaultyEnv {
 public:
  enum class Error { kIo, kNoSpace };
  struct Plan {
    uint64_t fail_at = 0;  // 1 = the next call; 0 = never
    bool once = false;     // otherwise every call from then on fails too
    Error error = Error::kIo;
  };

  FaultyEnv();
  ~FaultyEnv();

  rocksdb::Env* env();
  // Starts counting anew.
  void Arm(const Plan& plan);
  void Disarm() { Arm(Plan()); }
  uint64_t calls() const;  // since the last Arm
  bool failed() const;     // whether the plan has made a call fail

  // From here on nothing reaches the disk any more (calls fail); to be followed by closing everything
  // and DropUnsynced.
  void Freeze();
  // Truncates files to their synced length, forgets all state and works again.
  Status DropUnsynced();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace varve
