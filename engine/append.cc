// Life of a write: room, gates, journal, heads. See docs/architecture.md.
#include <algorithm>
#include <chrono>

#include "engine/base/failpoint.h"
#include "engine/engine_impl.h"

namespace varve {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Which of the batch's streams go to which shard.
struct ShardPart {
  Shard* shard = nullptr;
  std::vector<uint32_t> streams;  // indexes into AppendBatch::streams, ascending
};

int64_t EstimateBytes(const AppendBatch& batch) {
  size_t bytes = 0;
  for (const LogEntryView& entry : batch.entries) bytes += entry.line.size() + entry.metadata.size() / 4;
  return LogSegment::EstimateBytes(batch.entries.size(), bytes);
}

}  // namespace

Status EngineImpl::CheckDisk(uint64_t record_bytes) {
  const double used = disk_.UsedFraction(record_bytes);
  if (used <= options_.disk_full_fraction) return Status::Ok();
  counters_.shed_appends.fetch_add(1, std::memory_order_relaxed);
  return StorageFull("the disk of " + options_.data_dir + " is " +
                     std::to_string(static_cast<int>(used * 100)) + " % full; pushes are refused above " +
                     std::to_string(static_cast<int>(options_.disk_full_fraction * 100)) + " %");
}

Status EngineImpl::AdmitToHeads(MemoryBudget* heads, int64_t bytes) {
  const int64_t limit = heads->limit_bytes();
  const int64_t soft_limit = limit / 10 * 8;
  // Where little is used, waiting would free little: a large push must go in some time.
  const auto fits = [&] {
    const int64_t used = heads->used_bytes();
    return used + bytes <= soft_limit || used <= limit / 8;
  };
  if (!fits()) {
    WakeCutScheduler();
    const auto deadline = SteadyClock::now() + std::chrono::milliseconds(options_.append_wait_ms_max);
    const MutexLock lock(room_mu_);
    while (!fits()) {
      if (SteadyClock::now() >= deadline || closing_.load(std::memory_order_relaxed)) {
        counters_.shed_appends.fetch_add(1, std::memory_order_relaxed);
        const std::string message = "no room for " + std::to_string(bytes) +
                                    " bytes in the heads: " + std::to_string(heads->used_bytes()) +
                                    " of " + std::to_string(limit) +
                                    " bytes in use and being written to packs";
        return heads->used_bytes() + bytes > limit ? Unavailable(message) : ResourceExhausted(message);
      }
      room_.WaitFor(room_mu_, std::chrono::milliseconds(20));
    }
  }
  heads->ForceReserve(bytes);
  return Status::Ok();
}

void EngineImpl::AppendToHead(Shard* shard, const AppendBatch& batch, const std::vector<uint32_t>& streams) {
  const int64_t now_ns = options_.clock->NowNs();
  bool due = false;
  {
    const MutexLock lock(shard->mu);
    for (const uint32_t i : streams) {
      const AppendBatch::StreamEntries& part = batch.streams[i];
      shard->active->Append(part.stream, std::span(batch.entries).subspan(part.begin, part.count), now_ns);
    }
    due = shard->active->memory_bytes() >= options_.cut_bytes && shard->sealed == nullptr;
  }
  for (const uint32_t i : streams) {
    const AppendBatch::StreamEntries& part = batch.streams[i];
    generations_.BumpEntries(std::span(batch.entries).subspan(part.begin, part.count));
  }
  if (due) WakeCutScheduler();
}

Status EngineImpl::Append(const AppendBatch& batch, std::string_view record) {
  if (!recovered_.load(std::memory_order_acquire)) return Unavailable("the journal is still being replayed");
  if (closing_.load(std::memory_order_relaxed)) return Unavailable("shutting down");
  VARVE_RETURN_IF_ERROR(CheckDisk(record.size()));
  const int64_t estimate = EstimateBytes(batch);
  VARVE_RETURN_IF_ERROR(AdmitToHeads(&heads_budget_, estimate));

  std::vector<ShardPart> parts;
  {
    std::vector<std::pair<uint16_t, uint32_t>> by_shard;
    by_shard.reserve(batch.streams.size());
    for (uint32_t i = 0; i < batch.streams.size(); ++i) {
      if (batch.streams[i].count != 0) by_shard.emplace_back(ShardOf(batch.streams[i].stream).number, i);
    }
    std::sort(by_shard.begin(), by_shard.end());
    for (const auto& [number, i] : by_shard) {
      if (parts.empty() || parts.back().shard->number != number) parts.push_back({shards_[number].get(), {}});
      parts.back().streams.push_back(i);
    }
  }

  for (const ShardPart& part : parts) part.shard->EnterShared();
  const Result<JournalSeq> seq = stores_.journal->Append(record, options_.durability == Durability::kDisk);
  if (seq.ok()) {
    VARVE_KILL_POINT("after_journal_write");
    journal_gauge_.Appended(*seq, record.size());
    for (const ShardPart& part : parts) AppendToHead(part.shard, batch, part.streams);
  }
  for (const ShardPart& part : parts) part.shard->LeaveShared();
  heads_budget_.Release(estimate);
  if (!seq.ok()) {
    return IoError("the journal failed; nothing more is taken until a restart: " + seq.status().message());
  }

  uint64_t line_bytes = 0;
  for (const LogEntryView& entry : batch.entries) line_bytes += entry.line.size();
  counters_.appended_entries.fetch_add(batch.entries.size(), std::memory_order_relaxed);
  counters_.appended_line_bytes.fetch_add(line_bytes, std::memory_order_relaxed);
  if (AppendObserver* const observer = append_observer_.load(std::memory_order_acquire)) {
    observer->OnAppend(batch);
  }
  return Status::Ok();
}

}  // namespace varve
