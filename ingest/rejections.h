// What a push gets told about the entries that were not taken, and what the counters learn.
//
// Texts are Loki's, grouped as Loki groups them: `3 errors like: <text>; <text>` in order of first sight. The
// answer is bounded: beyond kTextsMax different texts or kBytesMax bytes only a number is given.
// Threads: thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/base/status.h"
#include "ingest/write_path.h"

namespace varve {

class Rejections {
 public:
  static constexpr size_t kTextsMax = 100;
  static constexpr size_t kBytesMax = 64 << 10;

  // `entries` entries with `bytes` bytes (line and metadata) were refused; counts as one error.
  void Add(DiscardReason reason, std::string text, uint64_t entries, uint64_t bytes);

  bool empty() const { return errors_ == 0; }
  // kResourceExhausted when a rate or quota was the reason of any, else kInvalidArgument. Not when empty().
  Status ToStatus() const;

  using Counts = std::array<uint64_t, static_cast<size_t>(DiscardReason::kCount)>;
  const Counts& entries() const { return entries_; }
  const Counts& bytes() const { return bytes_; }

 private:
  struct Text {
    std::string text;
    uint64_t count = 0;
  };
  std::vector<Text> texts_;
  std::unordered_map<std::string, size_t> index_;  // text → position in texts_
  size_t text_bytes_ = 0;
  uint64_t errors_ = 0;
  uint64_t untold_errors_ = 0;
  bool retry_ = false;
  Counts entries_{};
  Counts bytes_{};
};

}  // namespace varve
