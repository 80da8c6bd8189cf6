// The RocksDB instance "hot": journal, metadata, identities of streams and series, all behind one write-ahead log.
//
// Bytes on disk: docs/format.md, "Hot database". Used by rocksdb_journal.h and meta/rocksdb_meta_store.h,
// which share it so that one write batch can commit packs, watermarks and the journal's trim together.
// Options and the reasons for them: hot_db.cc.
// Threads: thread-safe. Ownership: owns the database; closes it when destroyed.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/mutex.h"
#include "engine/base/status.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Env;
class Status;
class WriteBatch;
}  // namespace rocksdb

namespace varve {

// How many memtables the journal may hold: one filling, the others being flushed.
inline constexpr int kJournalMemtablesMax = 3;

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
  // Null where a directory from before metrics is opened read-only.
  rocksdb::ColumnFamilyHandle* series() const;

  // All writes go through here, because the first that fails must be the last: afterwards nobody knows
  // what the log's tail holds, and RocksDB 7.8.3 aborts when a log that failed is synced. From then on
  // every write and sync returns that first error.
  Status Write(rocksdb::WriteBatch* batch, bool sync, std::string_view context);
  // Syncs the write-ahead log without holding writers up.
  Status SyncLog();
  bool failed() const { return failed_.load(std::memory_order_acquire); }

  // Writes every column family's memory to files, so that the write-ahead log files so far are obsolete.
  Status FlushMemory();
  // Copies the database to `path`, which must not be there: files are linked, the log is copied.
  Status Checkpoint(const std::string& path);
  // Deletes the journal's oldest files as long as their keys are at most `end`, all of it deleted data.
  Status DeleteJournalFilesThrough(std::string_view end);
  // Obsolete files are otherwise deleted in the background, some time later.
  Status DeleteObsoleteFiles();

 private:
  struct Impl;
  explicit HotDb(std::unique_ptr<Impl> impl);
  Status Fail(Status status) VARVE_EXCLUDES(failure_mu_);

  std::unique_ptr<Impl> impl_;
  std::atomic<bool> failed_{false};  // set once, after failure_ is written
  Mutex failure_mu_;
  Status failure_ VARVE_GUARDED_BY(failure_mu_);
};

// Translates an error of RocksDB; `context` says what was being done.
Status FromRocksDb(const rocksdb::Status& status, std::string_view context);

}  // namespace varve
