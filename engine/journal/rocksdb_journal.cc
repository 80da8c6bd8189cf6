#include "engine/journal/rocksdb_journal.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "engine/base/bytes.h"

namespace varve {
namespace {

struct SeqKey {
  explicit SeqKey(JournalSeq seq) : big_endian(__builtin_bswap64(seq)) {}
  rocksdb::Slice slice() const { return {reinterpret_cast<const char*>(&big_endian), sizeof(big_endian)}; }
  uint64_t big_endian;
};

}  // namespace

Result<std::unique_ptr<RocksDbJournal>> RocksDbJournal::Open(HotDb* db, JournalSeq floor) {
  // Start the search at the floor: below it everything is deleted, and walking backwards over deleted
  // keys is slow.
  rocksdb::ReadOptions read;
  const SeqKey lower(floor);
  const rocksdb::Slice lower_slice = lower.slice();
  read.iterate_lower_bound = &lower_slice;
  const std::unique_ptr<rocksdb::Iterator> it(db->db()->NewIterator(read, db->journal()));
  it->SeekToLast();
  JournalSeq last = floor;
  if (it->Valid()) {
    ByteReader key(it->key().ToStringView());
    last = std::max(last, key.BigEndian64());
    if (!key.AtEnd()) return Corruption("journal: a key is not 8 bytes long");
  }
  VARVE_RETURN_IF_ERROR(FromRocksDb(it->status(), "reading the journal's end"));
  return std::unique_ptr<RocksDbJournal>(new RocksDbJournal(db, last));  // NOLINT: private constructor
}

Status RocksDbJournal::Fail(Status status) {
  const MutexLock lock(failure_mu_);
  if (failure_.ok()) failure_ = std::move(status);
  failed_.store(true, std::memory_order_release);
  return failure_.Clone();
}

Result<JournalSeq> RocksDbJournal::Append(std::string_view record, bool sync) {
  if (failed_.load(std::memory_order_acquire)) [[unlikely]] return Fail(Status::Ok());
  const JournalSeq seq = last_seq_.fetch_add(1, std::memory_order_acq_rel) + 1;
  rocksdb::WriteOptions write;
  write.sync = sync;
  const SeqKey key(seq);
  const rocksdb::Status status =
      db_->db()->Put(write, db_->journal(), key.slice(), rocksdb::Slice(record.data(), record.size()));
  if (!status.ok()) [[unlikely]] return Fail(FromRocksDb(status, "writing the journal"));
  records_.fetch_add(1, std::memory_order_relaxed);
  record_bytes_.fetch_add(record.size(), std::memory_order_relaxed);
  if (sync) syncs_.fetch_add(1, std::memory_order_relaxed);
  return seq;
}

Status RocksDbJournal::Sync() {
  const JournalSeq seq = last_seq();
  if (synced_seq_.load(std::memory_order_relaxed) == seq) return Status::Ok();
  const rocksdb::Status status = db_->db()->SyncWAL();
  if (!status.ok()) [[unlikely]] return Fail(FromRocksDb(status, "syncing the journal"));
  synced_seq_.store(seq, std::memory_order_relaxed);
  syncs_.fetch_add(1, std::memory_order_relaxed);
  return Status::Ok();
}

Status RocksDbJournal::Replay(JournalSeq after,
                              const std::function<Status(JournalSeq, std::string_view)>& fn) const {
  rocksdb::ReadOptions read;
  read.fill_cache = false;
  read.readahead_size = 2 << 20;
  const std::unique_ptr<rocksdb::Iterator> it(db_->db()->NewIterator(read, db_->journal()));
  const SeqKey first(after + 1);
  for (it->Seek(first.slice()); it->Valid(); it->Next()) {
    ByteReader key(it->key().ToStringView());
    const JournalSeq seq = key.BigEndian64();
    if (!key.AtEnd()) return Corruption("journal: a key is not 8 bytes long");
    VARVE_RETURN_IF_ERROR(fn(seq, it->value().ToStringView()));
  }
  return FromRocksDb(it->status(), "reading the journal");
}

Status RocksDbJournal::Reclaim() { return db_->Reclaim(); }

JournalStats RocksDbJournal::Stats() const {
  return {.records = records_.load(std::memory_order_relaxed),
          .record_bytes = record_bytes_.load(std::memory_order_relaxed),
          .syncs = syncs_.load(std::memory_order_relaxed)};
}

}  // namespace varve
