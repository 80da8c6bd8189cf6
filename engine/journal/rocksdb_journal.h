// The journal as a column family of the hot database: key = number, big endian; value = record.
//
// Trimmed records mostly die in memory: a DeleteRange that covers them before the memtable is flushed
// keeps them from ever being written to a table file. What is written goes to level 0 and is never
// compacted; a file is deleted whole once all its records are trimmed, the oldest first.
// Threads, errors: see journal.h.
#pragma once

#include <atomic>
#include <memory>

#include "engine/journal/hot_db.h"
#include "engine/journal/journal.h"

namespace varve {

class RocksDbJournal final : public Journal {
 public:
  // `floor`: the highest number known from elsewhere (the watermarks); numbering goes on above it.
  // `db` must outlive this.
  static Result<std::unique_ptr<RocksDbJournal>> Open(HotDb* db, JournalSeq floor);

  Result<JournalSeq> Append(std::string_view record, bool sync) override;
  Status Sync() override;
  JournalSeq last_seq() const override { return last_seq_.load(std::memory_order_acquire); }
  Status Replay(JournalSeq after,
                const std::function<Status(JournalSeq, std::string_view)>& fn) const override;
  Status FreeTrimmed(JournalSeq through) override;
  Status Reclaim(JournalSeq through) override;
  JournalStats Stats() const override;

 private:
  RocksDbJournal(HotDb* db, JournalSeq last_seq) : db_(db), last_seq_(last_seq) {}

  HotDb* const db_;
  // Written by appenders with fetch_add; cuts read it while they hold a shard's gate exclusively,
  // which orders it after every append to that shard.
  std::atomic<JournalSeq> last_seq_;
  std::atomic<uint64_t> records_{0};
  std::atomic<uint64_t> record_bytes_{0};
  std::atomic<uint64_t> syncs_{0};
  // last_seq_ at the newest sync; lets an idle journal skip its periodic sync.
  std::atomic<JournalSeq> synced_seq_{0};
};

}  // namespace varve
