// A lock domain over streams: the newest entries of the streams whose fingerprints fall to it, and its
// packs.
//
// Lock order, within one shard: turnstile → gate → mu; gates of several shards in ascending order of
// shard. An append holds the gates of its shards shared from before its journal write until its entries
// are in the heads; a cut holds one gate exclusively, and so sees every record up to the journal's last
// number applied. The turnstile keeps a stream of appends from starving the cut.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/base/mutex.h"
#include "engine/head/log_segment.h"
#include "engine/journal/journal.h"
#include "engine/pack_catalog.h"

namespace varve {

struct Shard {
  uint16_t number = 0;  // constant after construction

  Mutex turnstile;
  SharedMutex gate;

  mutable Mutex mu;
  std::shared_ptr<LogSegment> active VARVE_GUARDED_BY(mu);  // never null
  // Cut, and being encoded; null when there is none. A commit replaces it by packs under mu, so a
  // reader sees one or the other.
  std::shared_ptr<const LogSegment> sealed VARVE_GUARDED_BY(mu);
  JournalSeq sealed_through VARVE_GUARDED_BY(mu) = 0;
  std::shared_ptr<const Catalog> catalog VARVE_GUARDED_BY(mu);  // never null

  void EnterShared() VARVE_NO_THREAD_SAFETY_ANALYSIS {
    const MutexLock lock(turnstile);
    gate.LockShared();
  }
  void LeaveShared() VARVE_NO_THREAD_SAFETY_ANALYSIS { gate.UnlockShared(); }
  void EnterExclusive() VARVE_NO_THREAD_SAFETY_ANALYSIS {
    const MutexLock lock(turnstile);
    gate.Lock();
  }
  void LeaveExclusive() VARVE_NO_THREAD_SAFETY_ANALYSIS { gate.Unlock(); }
};

}  // namespace varve
