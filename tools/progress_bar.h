// A line on standard error that says how far a long task has come; nothing when that is no terminal or
// the task is quick.
// Threads: thread-compatible.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace varve {

class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar() { Clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Cheap enough to be called often: redraws at most ten times a second, at first after half a second.
  // `total` 0 = unknown. `detail` follows the bar.
  void Update(std::string_view name, uint64_t done, uint64_t total, std::string_view detail);
  // Takes the line away, so that something else can be printed.
  void Clear();

 private:
  const bool enabled_;
  const std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point next_draw_;
  bool drawn_ = false;
};

}  // namespace varve
