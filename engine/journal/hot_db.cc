#include "engine/journal/hot_db.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/utilities/checkpoint.h>

#include <algorithm>
#include <cstdarg>
#include <vector>

namespace varve {
namespace {

// Opening read-only would otherwise write a log file into the directory.
class NoLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

// After a full disk RocksDB would try to resume by itself, on a thread of its own, and trips an
// assertion of 7.8.3 when a file deletion failed before. We stay failed until a restart instead.
class NoAutoRecovery final : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status /*error*/,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

constexpr char kJournalName[] = "journal";
constexpr char kMetaName[] = "meta";
constexpr char kStreamName[] = "stream";
constexpr char kSeriesName[] = "series";

// RocksDB 7.8.3's own bugs decide much here (reference: issue numbers in brackets): manual_wal_flush
// stays off (a push would not survive kill -9), wal_compression off (recovery bug), atomic_flush off
// (#11148), track_and_verify_wals off (#10892), recycle_log_file_num 0.
rocksdb::DBOptions MakeDbOptions(const HotDbOptions& options) {
  rocksdb::DBOptions db;
  db.create_if_missing = !options.read_only;
  db.create_missing_column_families = !options.read_only;
  if (options.env != nullptr) db.env = options.env;
  db.paranoid_checks = true;
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  db.avoid_flush_during_recovery = true;
  db.avoid_flush_during_shutdown = true;  // the log has it all; closing must be quick
  // A log file is freed when every family has flushed what it holds there; this forces the quiet
  // families to, so that the log, which is read whole at open,
  // stays within a few journal memtables.
  db.max_total_wal_size = static_cast<uint64_t>(options.journal_memtable_bytes) * 2;
  db.max_background_jobs = 2;
  db.wal_bytes_per_sync = 1 << 20;
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  db.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  db.listeners.push_back(std::make_shared<NoAutoRecovery>());
  if (options.read_only) db.info_log = std::make_shared<NoLogger>();
  db.keep_log_file_num = 2;
  db.max_log_file_size = 1 << 20;
  db.allow_fallocate = false;  // preallocated tails would count as used space
  db.manifest_preallocation_size = 64 << 10;
  db.max_open_files = 256;
  return db;
}

rocksdb::ColumnFamilyOptions MakeFamilyOptions(size_t memtable_bytes, int memtables) {
  rocksdb::ColumnFamilyOptions family;
  family.write_buffer_size = memtable_bytes;
  family.max_write_buffer_number = memtables;
  family.level0_file_num_compaction_trigger = 4;
  family.level0_slowdown_writes_trigger = 20;
  family.level0_stop_writes_trigger = 36;
  rocksdb::BlockBasedTableOptions table;
  table.cache_index_and_filter_blocks = false;
  table.block_size = 16 << 10;
  table.no_block_cache = true;  // read once at open, by scans
  table.format_version = 5;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return family;
}

}  // namespace

struct HotDb::Impl {
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;  // default, journal, meta, stream, series

  ~Impl() {
    if (db == nullptr) return;
    for (rocksdb::ColumnFamilyHandle* handle : handles) {
      db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
    }
    db->Close().PermitUncheckedError();
  }
};

HotDb::HotDb(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HotDb::~HotDb() = default;

rocksdb::DB* HotDb::db() const { return impl_->db.get(); }
rocksdb::ColumnFamilyHandle* HotDb::journal() const { return impl_->handles[1]; }
rocksdb::ColumnFamilyHandle* HotDb::meta() const { return impl_->handles[2]; }
rocksdb::ColumnFamilyHandle* HotDb::stream() const { return impl_->handles[3]; }
rocksdb::ColumnFamilyHandle* HotDb::series() const {
  return impl_->handles.size() > 4 ? impl_->handles[4] : nullptr;
}

Result<std::unique_ptr<HotDb>> HotDb::Open(const HotDbOptions& options) {
  // The journal's bodies are compressed already, and most never reach a file: no compression there.
  rocksdb::ColumnFamilyOptions journal =
      MakeFamilyOptions(static_cast<size_t>(options.journal_memtable_bytes), kJournalMemtablesMax);
  journal.compression = rocksdb::kNoCompression;
  // Never compacted: its files are deleted whole (DeleteJournalFilesThrough). A compaction that finds
  // nothing but deleted records and then fails to write trips an assertion of 7.8.3.
  journal.disable_auto_compactions = true;
  rocksdb::ColumnFamilyOptions small = MakeFamilyOptions(8 << 20, 2);
  small.compression = rocksdb::kZSTD;
  small.level_compaction_dynamic_level_bytes = true;
  std::vector<rocksdb::ColumnFamilyDescriptor> families = {
      {rocksdb::kDefaultColumnFamilyName, MakeFamilyOptions(1 << 20, 2)},
      {kJournalName, journal},
      {kMetaName, small},
      {kStreamName, small},
      {kSeriesName, small}};
  auto impl = std::make_unique<Impl>();
  rocksdb::DB* db = nullptr;
  const rocksdb::DBOptions db_options = MakeDbOptions(options);
  if (options.read_only) {
    std::vector<std::string> present;
    const rocksdb::Status listed = rocksdb::DB::ListColumnFamilies(db_options, options.path, &present);
    if (listed.ok() && std::find(present.begin(), present.end(), kSeriesName) == present.end()) families.pop_back();
  }
  const rocksdb::Status status =
      options.read_only
          ? rocksdb::DB::OpenForReadOnly(db_options, options.path, families, &impl->handles, &db)
          : rocksdb::DB::Open(db_options, options.path, families, &impl->handles, &db);
  impl->db.reset(db);
  if (!status.ok()) return FromRocksDb(status, "opening " + options.path);
  return std::unique_ptr<HotDb>(new HotDb(std::move(impl)));  // NOLINT: private constructor
}

Status HotDb::Fail(Status status) {
  const MutexLock lock(failure_mu_);
  if (failure_.ok()) failure_ = std::move(status);
  failed_.store(true, std::memory_order_release);
  return failure_.Clone();
}

Status HotDb::Write(rocksdb::WriteBatch* batch, bool sync, std::string_view context) {
  if (failed()) [[unlikely]]
    return Fail(Status::Ok());
  rocksdb::WriteOptions write;
  write.sync = sync;
  const rocksdb::Status status = db()->Write(write, batch);
  return status.ok() ? Status::Ok() : Fail(FromRocksDb(status, context));
}

Status HotDb::SyncLog() {
  if (failed()) [[unlikely]]
    return Fail(Status::Ok());
  const rocksdb::Status status = db()->SyncWAL();
  return status.ok() ? Status::Ok() : Fail(FromRocksDb(status, "syncing the write-ahead log"));
}

Status HotDb::FlushMemory() {
  if (failed()) [[unlikely]]
    return Fail(Status::Ok());
  rocksdb::FlushOptions flush;
  flush.wait = true;
  flush.allow_write_stall = true;
  return FromRocksDb(db()->Flush(flush, impl_->handles), "flushing the hot database");
}

Status HotDb::Checkpoint(const std::string& path) {
  if (failed()) [[unlikely]]
    return Fail(Status::Ok());
  rocksdb::Checkpoint* raw = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(db(), &raw);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  if (status.ok()) status = checkpoint->CreateCheckpoint(path);
  return FromRocksDb(status, "copying the hot database to " + path);
}

Status HotDb::DeleteJournalFilesThrough(std::string_view end) {
  if (failed()) [[unlikely]]
    return Fail(Status::Ok());
  std::vector<rocksdb::LiveFileMetaData> files;
  db()->GetLiveFilesMetaData(&files);
  std::erase_if(files, [](const rocksdb::LiveFileMetaData& file) {
    return file.column_family_name != kJournalName || file.level != 0;
  });
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.file_number < b.file_number; });
  for (const rocksdb::LiveFileMetaData& file : files) {
    if (file.largestkey > end) break;
    // Only the oldest file of level 0 may go; then nothing older can come back to light.
    VARVE_RETURN_IF_ERROR(FromRocksDb(db()->DeleteFile(file.name), "deleting a file of the journal"));
  }
  return Status::Ok();
}

Status HotDb::DeleteObsoleteFiles() {
  VARVE_RETURN_IF_ERROR(FromRocksDb(db()->DisableFileDeletions(), "freeing the journal's files"));
  // Not forced: after an error RocksDB itself may hold deletions back.
  return FromRocksDb(db()->EnableFileDeletions(/*force=*/false), "freeing the journal's files");
}

Status FromRocksDb(const rocksdb::Status& status, std::string_view context) {
  if (status.ok()) return Status::Ok();
  std::string message(context);
  message += ": ";
  const std::string text = status.ToString();
  const bool locked = text.find("lock hold by current process") != std::string::npos ||
                      (text.find("While lock file") != std::string::npos &&
                       text.find("temporarily unavailable") != std::string::npos);
  if (locked) return Unavailable(message + "in use by another process");
  message += text;
  if (status.IsNoSpace()) return StorageFull(std::move(message));
  if (status.IsCorruption()) return Corruption(std::move(message));
  if (status.IsNotFound()) return NotFound(std::move(message));
  if (status.IsInvalidArgument()) return InvalidArgument(std::move(message));
  return IoError(std::move(message));
}

}  // namespace varve
