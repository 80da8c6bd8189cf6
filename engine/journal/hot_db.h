// The RocksDB instance "hot": journal, metadata and stream identities, all behind one write-ahead log.
//
// Bytes on disk: docs/format.md, "Hot database". Used by rocksdb_journal.h and meta/rocksdb_meta_store.h,
// which share it so that one write batch can commit packs, watermarks and the journal's trim together.
// Options and the reasons for them: hot_db.cc.
// Threads: thread-safe. Ownership: owns the database; closes it when destroyed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Env;
class Status;
}  // namespace rocksdb

namespace varve {

struct HotDbOptions {
  std::string path;
  rocksdb::Env* env = nullptr;  // null = the real file system
  int64_t journal_memtable_bytes = 64 << 20;
  // Opens what is there and changes nothing; for `varve inspect` and `varve verify`.
  bool read_only = false;
};

class HotDb {
 public:
  static Result<std::unique_ptr<HotDb>> Open(const HotDbOptions& options);
  ~HotDb();
  HotDb(const HotDb&) = delete;
  HotDb& operator=(const HotDb&) = delete;

  rocksdb::DB* db() const;
  rocksdb::ColumnFamilyHandle* journal() const;
  rocksdb::ColumnFamilyHandle* meta() const;
  rocksdb::ColumnFamilyHandle* stream() const;

  // Writes every column family's memory to files, so that the write-ahead log files so far are freed,
  // and drops what deletions cover from the journal's files.
  Status Reclaim();

 private:
  struct Impl;
  explicit HotDb(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Translates an error of RocksDB; `context` says what was being done.
Status FromRocksDb(const rocksdb::Status& status, std::string_view context);

}  // namespace varve
