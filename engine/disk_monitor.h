// How full the file system of the data directory is; asked of the system at most twice a second.
//
// Threads: thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace varve {

class DiskMonitor {
 public:
  explicit DiskMonitor(std::string path) : path_(std::move(path)) {}
  // Used share of what an unprivileged process may use; 0 when the system cannot tell.
  double UsedFraction();

 private:
  const std::string path_;
  // Readers take whatever the newest reader stored; a race costs one more statvfs.
  std::atomic<int64_t> asked_ns_{0};
  std::atomic<double> used_fraction_{0};
};

}  // namespace varve
