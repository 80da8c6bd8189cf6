#include "engine/disk_monitor.h"

#include <sys/statvfs.h>

#include <chrono>

#include "engine/base/time.h"

namespace varve {

namespace {

constexpr int64_t kAskIntervalNs = 500 * kNsPerMs;
// Ask again once this share of the disk has been written.
constexpr uint64_t kAskEveryShare = 256;

}  // namespace

double DiskMonitor::UsedFraction(uint64_t about_to_write_bytes) {
  const int64_t now_ns = std::chrono::steady_clock::now().time_since_epoch().count();
  const int64_t asked_ns = asked_ns_.load(std::memory_order_relaxed);
  const uint64_t written = written_since_bytes_.fetch_add(about_to_write_bytes, std::memory_order_relaxed);
  if (asked_ns != 0 && now_ns - asked_ns < kAskIntervalNs &&
      written < capacity_bytes_.load(std::memory_order_relaxed) / kAskEveryShare) {
    return used_fraction_.load(std::memory_order_relaxed);
  }
  struct statvfs disk = {};
  double used = 0;
  if (statvfs(path_.c_str(), &disk) == 0 && disk.f_blocks != 0) {
    const auto blocks_used = static_cast<double>(disk.f_blocks - disk.f_bfree);
    const double blocks = blocks_used + static_cast<double>(disk.f_bavail);
    used = blocks == 0 ? 0 : blocks_used / blocks;
    capacity_bytes_.store(static_cast<uint64_t>(blocks) * disk.f_frsize, std::memory_order_relaxed);
  }
  written_since_bytes_.store(0, std::memory_order_relaxed);
  used_fraction_.store(used, std::memory_order_relaxed);
  asked_ns_.store(now_ns, std::memory_order_relaxed);
  return used;
}

}  // namespace varve
