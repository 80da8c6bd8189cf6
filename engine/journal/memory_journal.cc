#include "engine/journal/memory_journal.h"

#include <algorithm>
#include <utility>

namespace varve {

void MemoryJournalRecords::TrimThrough(JournalSeq seq) {
  const MutexLock lock(mu);
  records.erase(records.begin(), records.upper_bound(seq));
}

MemoryJournal::MemoryJournal(std::shared_ptr<MemoryJournalRecords> disk, JournalSeq floor,
                             std::function<Status()> before_append)
    : disk_(std::move(disk)), before_append_(std::move(before_append)), last_seq_(floor) {
  const MutexLock lock(disk_->mu);
  if (!disk_->records.empty()) last_seq_ = std::max(floor, disk_->records.rbegin()->first);
}

Result<JournalSeq> MemoryJournal::Append(std::string_view record, bool sync) {
  const MutexLock lock(mu_);
  if (!failure_.ok()) return failure_.Clone();
  const JournalSeq seq = ++last_seq_;
  if (before_append_ != nullptr) {
    failure_ = before_append_();
    if (!failure_.ok()) return failure_.Clone();
  }
  const MutexLock disk_lock(disk_->mu);
  disk_->records.emplace(seq, record);
  ++stats_.records;
  stats_.record_bytes += record.size();
  if (sync) ++stats_.syncs;
  return seq;
}

JournalSeq MemoryJournal::last_seq() const {
  const MutexLock lock(mu_);
  return last_seq_;
}

Status MemoryJournal::Replay(JournalSeq after,
                             const std::function<Status(JournalSeq, std::string_view)>& fn) const {
  // A copy, because fn may commit a cut, and that trims.
  std::map<JournalSeq, std::string> records;
  {
    const MutexLock lock(disk_->mu);
    records.insert(disk_->records.upper_bound(after), disk_->records.end());
  }
  for (const auto& [seq, record] : records) VARVE_RETURN_IF_ERROR(fn(seq, record));
  return Status::Ok();
}

JournalStats MemoryJournal::Stats() const {
  const MutexLock lock(mu_);
  return stats_;
}

}  // namespace varve
