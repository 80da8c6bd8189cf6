// The write-ahead record of accepted pushes: what an acknowledgement promises is in here, or in packs.
//
// Records are numbered from 1, without gaps except for failed appends. Trimming is not here: the meta
// store drops the records below all watermarks in the batch that commits packs (meta/meta_store.h).
// Implementations: rocksdb_journal.h, memory_journal.h (tests).
// Threads: thread-safe, except that Replay must not run beside Append.
// After an error: a failed Append or Sync leaves it unknown whether the record survives a restart. The
// journal then refuses all further appends with that error, so that it never grows past a hole.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "engine/base/status.h"

namespace varve {

using JournalSeq = uint64_t;

struct JournalStats {
  uint64_t records = 0;  // appended since opened
  uint64_t record_bytes = 0;
  uint64_t syncs = 0;
  int64_t memory_bytes = 0;  // that the implementation holds now
};

class Journal {
 public:
  virtual ~Journal() = default;

  // Returns the record's number when it survives a crash of the process, and, with `sync`, of the
  // machine. Concurrent calls share one sync.
  virtual Result<JournalSeq> Append(std::string_view record, bool sync) = 0;
  // Makes every record appended so far survive a crash of the machine.
  virtual Status Sync() = 0;
  // The highest number given out so far, by this process or an earlier one.
  virtual JournalSeq last_seq() const = 0;
  // Calls fn for each record above `after`, ascending. Stops at fn's first error and returns it.
  virtual Status Replay(JournalSeq after,
                        const std::function<Status(JournalSeq, std::string_view)>& fn) const = 0;
  // Frees files that hold nothing but records up to `through`, all of them trimmed. Cheap.
  virtual Status FreeTrimmed(JournalSeq through) = 0;
  // Writes what is in memory to files first, so that even the newest log files can be freed.
  virtual Status Reclaim(JournalSeq through) = 0;
  virtual JournalStats Stats() const = 0;
};

}  // namespace varve
