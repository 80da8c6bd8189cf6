// Lines of one stream on their way to a server: a Loki push request, protobuf in a snappy block.
//
// A line gets the time that a LineShaper finds in it, as it is: equal lines of one time are one. Without a shaper, or
// where a line does not say, it gets the time it was added (the time of the line before, where lines have times), and at
// least a nanosecond more than the one before, so that order is kept and equal lines stay distinct.
// Threads: thread-compatible. Ownership: lines are copied; the shaper must outlive this.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/model/labels.h"
#include "tools/push_body.h"
#include "tools/push_line.h"

namespace varve {

class PushBatch {
 public:
  PushBatch(const Labels& labels, const Clock& clock, LineShaper* shaper = nullptr)
      : labels_(labels.ToString()), clock_(clock), shaper_(shaper) {}

  void Add(std::string_view line);
  // The body to send; the batch stays as it is, so that it can be sent again.
  std::string Body() const { return body_.Encode(); }
  void Clear() { body_.Clear(); }

  uint64_t lines() const { return body_.lines(); }
  uint64_t line_bytes() const { return body_.line_bytes(); }

 private:
  const std::string labels_;
  const Clock& clock_;
  LineShaper* const shaper_;
  LineShaper::Line shaped_;  // scratch
  PushBody body_;
  int64_t last_ns_ = 0;
};

}  // namespace varve
