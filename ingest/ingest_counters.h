// The counters behind IngestStats.
//
// Threads: thread-safe; relaxed atomics, because they are only ever summed and shown.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "ingest/rejections.h"
#include "ingest/write_path.h"

namespace varve {

class IngestCounters {
 public:
  void AddRequest(uint64_t wire_bytes) {
    Bump(&requests_, 1);
    Bump(&wire_bytes_, wire_bytes);
  }
  void AddDecoded(uint64_t bytes, uint64_t entries, uint64_t line_bytes, uint64_t metadata_bytes) {
    Bump(&decoded_bytes_, bytes);
    Bump(&entries_, entries);
    Bump(&line_bytes_, line_bytes);
    Bump(&metadata_bytes_, metadata_bytes);
  }
  void AddDiscarded(DiscardReason reason, uint64_t entries, uint64_t bytes) {
    Bump(&discarded_entries_[static_cast<size_t>(reason)], entries);
    Bump(&discarded_bytes_[static_cast<size_t>(reason)], bytes);
  }
  void AddDiscarded(const Rejections& rejections) {
    if (rejections.empty()) return;
    for (size_t i = 0; i < rejections.entries().size(); ++i) {
      AddDiscarded(static_cast<DiscardReason>(i), rejections.entries()[i], rejections.bytes()[i]);
    }
  }
  void AddTruncated(uint64_t entries, uint64_t bytes) {
    Bump(&truncated_entries_, entries);
    Bump(&truncated_bytes_, bytes);
  }
  void AddMasked(const MaskCounts& masked) {
    Bump(&masked_entries_, masked.entries);
    Bump(&masked_values_, masked.values);
    Bump(&mask_replacements_, masked.replacements);
  }
  IngestStats Read() const {
    IngestStats stats;
    stats.requests = Get(requests_);
    stats.wire_bytes = Get(wire_bytes_);
    stats.decoded_bytes = Get(decoded_bytes_);
    stats.entries_received = Get(entries_);
    stats.line_bytes_received = Get(line_bytes_);
    stats.metadata_bytes_received = Get(metadata_bytes_);
    for (size_t i = 0; i < discarded_entries_.size(); ++i) {
      stats.discarded_entries[i] = Get(discarded_entries_[i]);
      stats.discarded_bytes[i] = Get(discarded_bytes_[i]);
    }
    stats.truncated_entries = Get(truncated_entries_);
    stats.truncated_bytes = Get(truncated_bytes_);
    stats.masked.entries = Get(masked_entries_);
    stats.masked.values = Get(masked_values_);
    stats.masked.replacements = Get(mask_replacements_);
    return stats;
  }

 private:
  using Counter = std::atomic<uint64_t>;
  static void Bump(Counter* counter, uint64_t by) { counter->fetch_add(by, std::memory_order_relaxed); }
  static uint64_t Get(const Counter& counter) { return counter.load(std::memory_order_relaxed); }

  Counter requests_{0};
  Counter wire_bytes_{0};
  Counter decoded_bytes_{0};
  Counter entries_{0};
  Counter line_bytes_{0};
  Counter metadata_bytes_{0};
  Counter truncated_entries_{0};
  Counter truncated_bytes_{0};
  Counter masked_entries_{0};
  Counter masked_values_{0};
  Counter mask_replacements_{0};
  std::array<Counter, static_cast<size_t>(DiscardReason::kCount)> discarded_entries_{};
  std::array<Counter, static_cast<size_t>(DiscardReason::kCount)> discarded_bytes_{};
};

}  // namespace varve
