// How many bytes of journal records are not yet covered by packs.
//
// Remembers the running total at a record every 64 KiB or so, hence exact to that; exactly zero when
// everything is covered.
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <deque>

#include "engine/base/mutex.h"
#include "engine/journal/journal.h"

namespace varve {

class JournalGauge {
 public:
  void Appended(JournalSeq seq, uint64_t bytes) VARVE_EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    total_ += bytes;
    last_seq_ = seq > last_seq_ ? seq : last_seq_;
    if (marks_.empty() || total_ - marks_.back().total >= (64 << 10)) marks_.push_back({last_seq_, total_});
  }
  void TrimmedThrough(JournalSeq seq) VARVE_EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    while (!marks_.empty() && marks_.front().seq <= seq) {
      trimmed_ = marks_.front().total;
      marks_.pop_front();
    }
    if (seq >= last_seq_) trimmed_ = total_;
  }
  uint64_t LiveBytes() const VARVE_EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    return total_ - trimmed_;
  }

 private:
  struct Mark {
    JournalSeq seq;
    uint64_t total;  // bytes of all records up to and including seq
  };
  mutable Mutex mu_;
  std::deque<Mark> marks_ VARVE_GUARDED_BY(mu_);
  JournalSeq last_seq_ VARVE_GUARDED_BY(mu_) = 0;
  uint64_t total_ VARVE_GUARDED_BY(mu_) = 0;
  uint64_t trimmed_ VARVE_GUARDED_BY(mu_) = 0;
};

}  // namespace varve
