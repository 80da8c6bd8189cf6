// How full the file system of the data directory is. The system is asked twice a second, and sooner when what
// has been written since would matter: a small disk can fill within the half second.
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
  // Used share of what an unprivileged process may use; 0 when the system cannot tell. `about_to_write_bytes`
  // is what the caller will add.
  double UsedFraction(uint64_t about_to_write_bytes = 0);
  // Of the file system, for an unprivileged process; 0 before UsedFraction was asked.
  uint64_t CapacityBytes() const { return capacity_bytes_.load(std::memory_order_relaxed); }

 private:
  const std::string path_;
  // Readers take whatever the newest reader stored; a race costs one more statvfs.
  std::atomic<int64_t> asked_ns_{0};
  std::atomic<uint64_t> written_since_bytes_{0};
  std::atomic<uint64_t> capacity_bytes_{0};
  std::atomic<double> used_fraction_{0};
};

}  // namespace varve
