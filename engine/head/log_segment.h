// The newest entries of one shard, in memory, since its last cut.
//
// Rows and line bytes live in chunks that never move. The rows that one push adds to one stream are a
// *run*; a run's rows are contiguous, and a stream is a list of runs in order of arrival. A reader
// copies the runs it wants while it holds the shard's lock, then reads their rows without it: what a
// copied run covers is never written again.
// Memory: 32 bytes a row, the line, 64 bytes a run; equal metadata is kept once per segment.
// Threads: thread-compatible; the shard's lock guards Append and the lists of runs. Sealed (no more
// appends) it is immutable and shared.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/append_batch.h"
#include "engine/base/memory_budget.h"
#include "engine/head/chunk_pool.h"
#include "engine/model/log_entry.h"

namespace varve {

struct HeadRow {
  int64_t ts_ns = 0;
  const char* line_data = nullptr;
  const std::string_view* metadata_set = nullptr;  // interned: equal pointers, equal bytes; null = none
  uint32_t line_size = 0;

  std::string_view line() const { return {line_data, line_size}; }
  std::string_view metadata() const { return metadata_set == nullptr ? std::string_view() : *metadata_set; }
};

struct HeadRun {
  const HeadRow* rows = nullptr;
  uint32_t count = 0;
  bool sorted = true;     // timestamps do not descend
  bool ascending = true;  // timestamps ascend strictly, hence no duplicates
  uint64_t line_bytes = 0;
  int64_t min_ts_ns = std::numeric_limits<int64_t>::max();
  int64_t max_ts_ns = std::numeric_limits<int64_t>::min();
};

struct HeadStream {
  std::vector<HeadRun> runs;  // in order of arrival
  uint64_t row_count = 0;
  uint64_t line_bytes = 0;
  int64_t min_ts_ns = std::numeric_limits<int64_t>::max();
  int64_t max_ts_ns = std::numeric_limits<int64_t>::min();
};

class LogSegment {
 public:
  // `pool` and `budget` must outlive the segment; the budget also counts what is not in chunks.
  LogSegment(ChunkPool* pool, MemoryBudget* budget);
  ~LogSegment();
  LogSegment(const LogSegment&) = delete;
  LogSegment& operator=(const LogSegment&) = delete;

  // Copies the entries. `now_ns` is remembered for the first.
  void Append(StreamOrdinal stream, std::span<const LogEntryView> entries, int64_t now_ns);

  const std::unordered_map<StreamOrdinal, HeadStream>& streams() const { return streams_; }
  const HeadStream* Find(StreamOrdinal stream) const;
  bool empty() const { return row_count_ == 0; }
  uint64_t row_count() const { return row_count_; }
  uint64_t line_bytes() const { return line_bytes_; }
  int64_t memory_bytes() const { return memory_bytes_; }
  int64_t first_append_ns() const { return first_append_ns_; }  // when the oldest entry arrived

  // What Append of such entries may add to memory_bytes, for admission; close, not exact.
  static int64_t EstimateBytes(size_t entries, size_t line_and_metadata_bytes) {
    return static_cast<int64_t>(entries * sizeof(HeadRow) + line_and_metadata_bytes);
  }

 private:
  struct Arena {
    char* next = nullptr;
    size_t left = 0;
  };
  struct HashBytes {
    size_t operator()(std::string_view bytes) const;
  };

  char* Allocate(Arena* arena, size_t bytes, size_t alignment);
  void Account(int64_t bytes);
  const std::string_view* InternMetadata(std::string_view metadata);
  void AppendRun(HeadStream* stream, std::span<const LogEntryView> entries);
  // `count` more rows that follow the last run in memory become part of it, or start another.
  void AddToRuns(HeadStream* stream, const HeadRun& run);

  ChunkPool* const pool_;
  MemoryBudget* const budget_;
  std::vector<ChunkPool::Chunk> chunks_;
  Arena bytes_;
  Arena rows_;
  std::unordered_map<StreamOrdinal, HeadStream> streams_;
  std::unordered_map<std::string_view, const std::string_view*, HashBytes> metadata_;
  const std::string_view* last_metadata_ = nullptr;
  uint64_t row_count_ = 0;
  uint64_t line_bytes_ = 0;
  int64_t memory_bytes_ = 0;
  int64_t accounted_bytes_ = 0;  // outside chunks
  int64_t first_append_ns_ = 0;
};

}  // namespace varve
