// Lines of one stream on their way to a server: a Loki push request, protobuf in a snappy block.
//
// Each line gets the time it was added, and at least a nanosecond more than the one before, so that
// order is kept and equal lines stay distinct.
// Threads: thread-compatible. Ownership: lines are copied.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/model/labels.h"

namespace varve {

class PushBatch {
 public:
  PushBatch(const Labels& labels, const Clock& clock) : labels_(labels.ToString()), clock_(clock) {}

  void Add(std::string_view line);
  // The body to send; the batch stays as it is, so that it can be sent again.
  std::string Body() const;
  void Clear();

  uint64_t lines() const { return lines_; }
  uint64_t line_bytes() const { return line_bytes_; }

 private:
  const std::string labels_;
  const Clock& clock_;
  std::string entries_;  // protobuf fields "entries" of StreamAdapter
  uint64_t lines_ = 0;
  uint64_t line_bytes_ = 0;
  int64_t last_ns_ = 0;
};

}  // namespace varve
