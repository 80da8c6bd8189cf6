#include "engine/head/log_segment.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace varve {
namespace {

// Runs grow by what follows them in memory up to this many bytes, so that a reader can take a stream in
// pieces of about a megabyte.
constexpr uint64_t kRunLineBytesMax = 256 << 10;
// A map node, its bucket, and the allocator's overhead.
constexpr int64_t kMetadataEntryBytes = 80;
constexpr int64_t kStreamEntryBytes = 160;

}  // namespace

size_t LogSegment::HashBytes::operator()(std::string_view bytes) const {
  return XXH3_64bits(bytes.data(), bytes.size());
}

LogSegment::LogSegment(ChunkPool* pool, MemoryBudget* budget) : pool_(pool), budget_(budget) {}

LogSegment::~LogSegment() { budget_->Release(accounted_bytes_); }

const HeadStream* LogSegment::Find(StreamOrdinal stream) const {
  const auto it = streams_.find(stream);
  return it == streams_.end() ? nullptr : &it->second;
}

void LogSegment::Account(int64_t bytes) {
  budget_->ForceReserve(bytes);
  accounted_bytes_ += bytes;
  memory_bytes_ += bytes;
}

char* LogSegment::Allocate(Arena* arena, size_t bytes, size_t alignment) {
  const size_t misaligned = reinterpret_cast<uintptr_t>(arena->next) % alignment;
  const size_t padding = misaligned == 0 ? 0 : alignment - misaligned;
  if (arena->next != nullptr && padding + bytes <= arena->left) {
    char* result = arena->next + padding;
    arena->next = result + bytes;
    arena->left -= padding + bytes;
    return result;
  }
  chunks_.push_back(pool_->Acquire(bytes));
  const ChunkPool::Chunk& chunk = chunks_.back();
  memory_bytes_ += static_cast<int64_t>(chunk.size());
  // A large piece gets a chunk of its own; what is left of the current one stays in use.
  if (bytes > ChunkPool::kChunkBytes / 4 && arena->next != nullptr && arena->left > chunk.size() - bytes) {
    return chunk.data();
  }
  arena->next = chunk.data() + bytes;
  arena->left = chunk.size() - bytes;
  return chunk.data();
}

const std::string_view* LogSegment::InternMetadata(std::string_view metadata) {
  if (metadata.empty()) return nullptr;
  // Neighbours mostly have the same.
  if (last_metadata_ != nullptr && *last_metadata_ == metadata) return last_metadata_;
  if (const auto it = metadata_.find(metadata); it != metadata_.end()) return last_metadata_ = it->second;
  char* place = Allocate(&bytes_, sizeof(std::string_view) + metadata.size(), alignof(std::string_view));
  char* copy = place + sizeof(std::string_view);
  std::memcpy(copy, metadata.data(), metadata.size());
  // Arena memory: a string_view needs no destruction.
  last_metadata_ = ::new (place) std::string_view(copy, metadata.size());
  metadata_.emplace(*last_metadata_, last_metadata_);
  Account(kMetadataEntryBytes);
  return last_metadata_;
}

void LogSegment::AddToRuns(HeadStream* stream, const HeadRun& run) {
  stream->row_count += run.count;
  stream->line_bytes += run.line_bytes;
  stream->min_ts_ns = std::min(stream->min_ts_ns, run.min_ts_ns);
  stream->max_ts_ns = std::max(stream->max_ts_ns, run.max_ts_ns);
  row_count_ += run.count;
  line_bytes_ += run.line_bytes;
  if (!stream->runs.empty()) {
    HeadRun& last = stream->runs.back();
    if (last.rows + last.count == run.rows && last.line_bytes + run.line_bytes <= kRunLineBytesMax) {
      last.sorted = last.sorted && run.sorted && run.min_ts_ns >= last.max_ts_ns;
      last.ascending = last.ascending && run.ascending && run.min_ts_ns > last.max_ts_ns;
      last.count += run.count;
      last.line_bytes += run.line_bytes;
      last.min_ts_ns = std::min(last.min_ts_ns, run.min_ts_ns);
      last.max_ts_ns = std::max(last.max_ts_ns, run.max_ts_ns);
      return;
    }
  }
  const size_t capacity = stream->runs.capacity();
  stream->runs.push_back(run);
  Account(static_cast<int64_t>((stream->runs.capacity() - capacity) * sizeof(HeadRun)));
}

void LogSegment::AppendRun(HeadStream* stream, std::span<const LogEntryView> entries) {
  size_t line_bytes = 0;
  for (const LogEntryView& entry : entries) line_bytes += entry.line.size();
  char* bytes = line_bytes == 0 ? nullptr : Allocate(&bytes_, line_bytes, 1);
  auto* rows =
      reinterpret_cast<HeadRow*>(Allocate(&rows_, entries.size() * sizeof(HeadRow), alignof(HeadRow)));
  HeadRun run;
  run.rows = rows;
  run.count = static_cast<uint32_t>(entries.size());
  run.line_bytes = line_bytes;
  for (const LogEntryView& entry : entries) {
    if (!entry.line.empty()) std::memcpy(bytes, entry.line.data(), entry.line.size());
    ::new (rows++) HeadRow{.ts_ns = entry.ts_ns,
                           .line_data = bytes,
                           .metadata_set = InternMetadata(entry.metadata),
                           .line_size = static_cast<uint32_t>(entry.line.size())};
    bytes += entry.line.size();
    if (entry.ts_ns <= run.max_ts_ns) {
      run.ascending = false;
      if (entry.ts_ns < run.max_ts_ns) run.sorted = false;
    }
    run.min_ts_ns = std::min(run.min_ts_ns, entry.ts_ns);
    run.max_ts_ns = std::max(run.max_ts_ns, entry.ts_ns);
  }
  AddToRuns(stream, run);
}

void LogSegment::Append(StreamOrdinal stream, std::span<const LogEntryView> entries, int64_t now_ns) {
  if (entries.empty()) return;
  if (row_count_ == 0) first_append_ns_ = now_ns;
  const auto [it, added] = streams_.try_emplace(stream);
  if (added) Account(kStreamEntryBytes);
  // In portions whose rows fit a chunk and whose lines stay near the size of a run.
  constexpr size_t kRowsMax = ChunkPool::kChunkBytes / sizeof(HeadRow) / 4;
  size_t begin = 0;
  while (begin < entries.size()) {
    size_t end = begin;
    size_t bytes = 0;
    do {
      bytes += entries[end].line.size();
      ++end;
    } while (end < entries.size() && end - begin < kRowsMax &&
             bytes + entries[end].line.size() <= ChunkPool::kChunkBytes / 4);
    AppendRun(&it->second, entries.subspan(begin, end - begin));
    begin = end;
  }
}

}  // namespace varve
