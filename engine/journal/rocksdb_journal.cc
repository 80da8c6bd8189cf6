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

Result<JournalSeq> RocksDbJournal::Append(std::string_view record, bool sync) {
  if (db_->failed()) [[unlikely]]
    return db_->SyncLog();  // the first error; draws no number
  const JournalSeq seq = last_seq_.fetch_add(1, std::memory_order_acq_rel) + 1;
  const SeqKey key(seq);
  rocksdb::WriteBatch batch(record.size() + 64);
  VARVE_RETURN_IF_ERROR(
      FromRocksDb(batch.Put(db_->journal(), key.slice(), rocksdb::Slice(record.data(), record.size())),
                  "preparing a journal record"));
  VARVE_RETURN_IF_ERROR(db_->Write(&batch, sync, "writing the journal"));
  records_.fetch_add(1, std::memory_order_relaxed);
  record_bytes_.fetch_add(record.size(), std::memory_order_relaxed);
  if (sync) syncs_.fetch_add(1, std::memory_order_relaxed);
  return seq;
}

Status RocksDbJournal::Sync() {
  const JournalSeq seq = last_seq();
  if (synced_seq_.load(std::memory_order_relaxed) == seq) return Status::Ok();
  VARVE_RETURN_IF_ERROR(db_->SyncLog());
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

Status RocksDbJournal::FreeTrimmed(JournalSeq through) {
  std::string end;  // of the tombstone that covers them: exclusive
  PutBigEndian64(&end, through + 1);
  return db_->DeleteJournalFilesThrough(end);
}

Status RocksDbJournal::Reclaim(JournalSeq through) {
  VARVE_RETURN_IF_ERROR(db_->FlushMemory());
  VARVE_RETURN_IF_ERROR(FreeTrimmed(through));
  return db_->DeleteObsoleteFiles();
}

JournalStats RocksDbJournal::Stats() const {
  uint64_t memory_bytes = 0;
  if (!db_->db()->GetIntProperty(db_->journal(), rocksdb::DB::Properties::kSizeAllMemTables, &memory_bytes)) {
    memory_bytes = 0;
  }
  return {.records = records_.load(std::memory_order_relaxed),
          .record_bytes = record_bytes_.load(std::memory_order_relaxed),
          .syncs = syncs_.load(std::memory_order_relaxed),
          .memory_bytes = static_cast<int64_t>(memory_bytes)};
}

}  // namespace varve
