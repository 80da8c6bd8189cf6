// The journal in memory: the twin of RocksDbJournal for tests.
//
// The records outlive the object through MemoryJournalRecords, which plays the disk: destroying the
// engine and opening another one over the same records is a crash and a restart.
// Threads, errors: see journal.h.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "engine/base/mutex.h"
#include "engine/journal/journal.h"

namespace varve {

struct MemoryJournalRecords {
  Mutex mu;
  std::map<JournalSeq, std::string> records VARVE_GUARDED_BY(mu);

  // What the meta store's commit does to the journal.
  void TrimThrough(JournalSeq seq) VARVE_EXCLUDES(mu);
};

class MemoryJournal final : public Journal {
 public:
  // `before_append`, if set, may fail an append by returning an error.
  MemoryJournal(std::shared_ptr<MemoryJournalRecords> disk, JournalSeq floor,
                std::function<Status()> before_append = nullptr);

  Result<JournalSeq> Append(std::string_view record, bool sync) override;
  Status Sync() override { return Status::Ok(); }
  JournalSeq last_seq() const override;
  Status Replay(JournalSeq after,
                const std::function<Status(JournalSeq, std::string_view)>& fn) const override;
  Status FreeTrimmed(JournalSeq) override { return Status::Ok(); }
  Status Reclaim(JournalSeq) override { return Status::Ok(); }
  JournalStats Stats() const override;

 private:
  const std::shared_ptr<MemoryJournalRecords> disk_;
  const std::function<Status()> before_append_;
  mutable Mutex mu_;
  JournalSeq last_seq_ VARVE_GUARDED_BY(mu_);
  JournalStats stats_ VARVE_GUARDED_BY(mu_);
  Status failure_ VARVE_GUARDED_BY(mu_);
};

}  // namespace varve
