// The state of a long-running client, in one small file: replaced whole, and one process's at a time.
//
// Errors: kIoError and kCorruption name the file.
// Threads: thread-compatible.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace varve {

class StateFile {
 public:
  static constexpr size_t kBytesMax = 256 << 20;

  explicit StateFile(std::string path) : path_(std::move(path)) {}
  ~StateFile();
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;

  // Takes the lock, a file PATH.lock beside it, until this goes. kUnavailable: another process has it.
  Status Lock();
  // False: there is no such file.
  Result<bool> Read(std::string* text) const;
  // Temporary file, fsync, rename: durable when it returns, and never half.
  Status Replace(std::string_view text) const;

  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  int lock_fd_ = -1;
};

}  // namespace varve
