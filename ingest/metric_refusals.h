// What a metrics request gets told about what was not taken: a line for each refused series or sample.
//
// The answer is bounded: beyond kErrorsShownMax lines or kBytesMax bytes only a number is given.
// Threads: thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "ingest/metric_stats.h"

namespace varve {

class MetricRefusals {
 public:
  static constexpr size_t kBytesMax = 64 << 10;

  // Whether a text would still be shown; where it would not, it need not be made.
  bool WantsText() const;
  // `samples` were refused for one reason; `text` (without a newline) says which and why.
  void Add(MetricDiscardReason reason, uint64_t samples, std::string text);
  // Not a reason to answer with an error: exemplars, metadata.
  void AddQuiet(MetricDiscardReason reason, uint64_t items);

  bool empty() const { return errors_ == 0; }
  // Whether a quota was the reason of any: the sender may come back.
  bool retry() const { return retry_; }
  // The lines, each with a newline.
  std::string Message() const;

  using Counts = std::array<uint64_t, static_cast<size_t>(MetricDiscardReason::kCount)>;
  const Counts& counts() const { return counts_; }

 private:
  std::string text_;
  uint64_t shown_ = 0;
  uint64_t errors_ = 0;
  bool retry_ = false;
  Counts counts_{};
};

}  // namespace varve
