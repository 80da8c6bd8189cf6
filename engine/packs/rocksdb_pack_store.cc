// Why a DB of its own: IngestExternalFile stops every writer of its DB while it syncs the manifest, and
// here nobody writes. Each pack is one SST whose keys no other pack's lie between, so each file goes
// straight to the last level: written once, never compacted, and dropped as a file. Files in level 0
// would not be (DeleteFilesInRange skips that level in 7.8.3), so an ingest that would land anywhere but
// at the bottom is refused (fail_if_not_bottommost_level).
//
// Options: no compression (blocks are compressed), no block cache and no filter (a decoded-block cache
// stands above, and every Get hits), no automatic compaction, no preallocation (so that `du` tells the
// truth). Reads verify RocksDB's checksum too: it covers
// the keys, which ours does not, at 8 GB/s.
//
// Files are written under <path>/pending and hard-linked in by the ingest; what a crash leaves there is
// removed at open.
//
// Errors. When the write of the manifest fails, 7.8.3 deletes the ingested file although the record of it may
// have reached the disk, and then refuses all writes; DB::Resume does not help against an error it takes for
// fatal. So a failed ingest is remembered, and the next writer closes and reopens the DB and drops that pack
// from the manifest. A DB whose manifest names a missing file does not open with paranoid_checks; it is then
// opened without, where the file's absence shows only when it is read.
#include "engine/packs/rocksdb_pack_store.h"

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/failpoint.h"
#include "engine/base/mutex.h"

namespace varve {

namespace {

constexpr int kOpenFilesMax = 512;

std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

Status FromRocksDb(const rocksdb::Status& status, const std::string& context) {
  if (status.ok()) return Status::Ok();
  std::string message = context + ": " + status.ToString();
  if (status.IsNoSpace()) return StorageFull(std::move(message));
  if (status.IsNotFound()) return NotFound(std::move(message));
  if (status.IsCorruption()) return Corruption(std::move(message));
  return IoError(std::move(message));
}

// RocksDB makes a new LOG at each opening, read-only ones too.
class NoLog : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

rocksdb::Options MakeOptions(const RocksDbPackStoreOptions& store_options, bool paranoid) {
  rocksdb::Options options;
  if (store_options.env != nullptr) options.env = store_options.env;
  options.create_if_missing = true;
  options.paranoid_checks = paranoid;
  // Bounded: a month of a quiet server is ten thousand packs. Opening one again reads its index, a few KB. (And with
  // -1, OpenForReadOnly makes a CompactedDBImpl, whose Get crashes on a file that could not be opened.)
  options.max_open_files = kOpenFilesMax;
  options.max_file_opening_threads = 4;
  options.skip_stats_update_on_db_open = true;
  options.allow_fallocate = false;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.keep_log_file_num = 2;
  options.max_log_file_size = 1 << 20;
  options.info_log_level = rocksdb::WARN_LEVEL;
  if (store_options.read_only) options.info_log = std::make_shared<NoLog>();
  options.write_buffer_size = 1 << 20;  // of a memtable that stays empty
  options.disable_auto_compactions = true;
  options.compression = rocksdb::kNoCompression;
  rocksdb::BlockBasedTableOptions table;
  table.no_block_cache = true;
  table.format_version = 5;
  table.block_size = 1;  // each value is a data block of its own: read, checked and lost alone
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

// Opens the DB; where files of packs are missing or damaged, without them.
rocksdb::Status OpenDb(const RocksDbPackStoreOptions& options, bool read_only,
                       std::unique_ptr<rocksdb::DB>* db) {
  rocksdb::DB* raw = nullptr;
  rocksdb::Status status;
  if (read_only) {
    RocksDbPackStoreOptions read_only_options = options;
    read_only_options.read_only = true;
    status =
        rocksdb::DB::OpenForReadOnly(MakeOptions(read_only_options, /*paranoid=*/false), options.path, &raw);
  } else {
    status = rocksdb::DB::Open(MakeOptions(options, /*paranoid=*/true), options.path, &raw);
    if (status.IsCorruption()) {
      status = rocksdb::DB::Open(MakeOptions(options, /*paranoid=*/false), options.path, &raw);
    }
  }
  db->reset(raw);
  return status;
}

class RocksDbPackStore : public PackStore {
 public:
  RocksDbPackStore(RocksDbPackStoreOptions options, std::unique_ptr<rocksdb::DB> db)
      : options_(std::move(options)), db_options_(MakeOptions(options_, true)), db_(std::move(db)) {}
  ~RocksDbPackStore() override {
    WriterLock lock(db_mu_);
    CloseDb();
  }

  Result<std::unique_ptr<PendingPack>> Begin(const PackId& id) override;
  Result<PackBytes> ReadBlock(const PackId& id, uint32_t block) const override;
  Result<PackDirectory> ReadDirectory(const PackId& id) const override;
  Result<std::vector<PackInfo>> List() const override;
  Status Drop(std::span<const PackId> ids) override;
  Status DropBuckets(uint8_t retention_class, int32_t begin_bucket, int32_t end_bucket) override;
  Status Checkpoint(const std::string& path) const override;

  std::string PendingPath() const { return options_.path + "/pending"; }
  const rocksdb::Options& db_options() const { return db_options_; }
  Status Ingest(const std::string& file, const PackId& id);

 private:
  // Refuses when read-only; repairs what an earlier error left.
  Status PrepareToWrite(const char* what);
  Status Repair() VARVE_EXCLUDES(db_mu_);
  Status ProbeDisk() const;
  void CloseDb() VARVE_REQUIRES(db_mu_);
  Status DropLocked(std::span<const PackId> ids) VARVE_REQUIRES_SHARED(db_mu_);
  Status NotOpen() const { return IoError(options_.path + " could not be opened again after an error"); }

  const RocksDbPackStoreOptions options_;
  const rocksdb::Options db_options_;
  // Held shared while the DB is used, exclusively while it is replaced. Null when that failed.
  mutable SharedMutex db_mu_;
  std::unique_ptr<rocksdb::DB> db_ VARVE_GUARDED_BY(db_mu_);
  // Set by whoever saw a write fail, cleared by Repair. Only a hint to take the slow path: Repair looks
  // again under the lock.
  std::atomic<bool> needs_repair_{false};
  Mutex failed_mu_;
  std::vector<PackId> failed_ VARVE_GUARDED_BY(failed_mu_);  // ingests of which the manifest may know
};

class PendingRocksDbPack : public PendingPack {
 public:
  PendingRocksDbPack(RocksDbPackStore* store, const PackId& id)
      : store_(store),
        id_(id),
        file_(store->PendingPath() + "/" + std::to_string(id.number) + ".sst"),
        writer_(rocksdb::EnvOptions(store->db_options()), store->db_options(), nullptr,
                /*invalidate_page_cache=*/false) {}

  ~PendingRocksDbPack() override {
    // Gone already when the ingest moved it.
    store_->db_options().env->DeleteFile(file_).PermitUncheckedError();
  }

  Status Open() { return FromRocksDb(writer_.Open(file_), "create " + file_); }

  Status AddBlock(std::string_view block) override {
    VARVE_CHECK(blocks_ < kPackDirectoryBlock);
    return Put(blocks_++, block);
  }

  Status CommitBytes(std::string_view directory) override {
    VARVE_RETURN_IF_ERROR(Put(kPackDirectoryBlock, directory));
    VARVE_RETURN_IF_ERROR(FromRocksDb(writer_.Finish(), "write " + file_));  // syncs
    VARVE_KILL_POINT("pack_written_before_ingest");
    return store_->Ingest(file_, id_);
  }

 private:
  Status Put(uint32_t block, std::string_view bytes) {
    return FromRocksDb(writer_.Put(PackKey(id_, block), rocksdb::Slice(bytes.data(), bytes.size())),
                       "write " + file_);
  }

  RocksDbPackStore* const store_;
  const PackId id_;
  const std::string file_;
  rocksdb::SstFileWriter writer_;
  uint32_t blocks_ = 0;
};

void RocksDbPackStore::CloseDb() {
  if (db_ != nullptr) db_->Close().PermitUncheckedError();
  db_.reset();
}

Status RocksDbPackStore::PrepareToWrite(const char* what) {
  if (options_.read_only) {
    return InvalidArgument(std::string(what) + ": " + options_.path + " is open read-only");
  }
  return needs_repair_.load(std::memory_order_relaxed) ? Repair() : Status::Ok();
}

// Writes and syncs a small file, so that a DB that can still be read is not closed on a disk that is no
// better.
Status RocksDbPackStore::ProbeDisk() const {
  const std::string file = PendingPath() + "/probe";
  const rocksdb::Status status =
      rocksdb::WriteStringToFile(db_options_.env, file, file, /*should_sync=*/true);
  db_options_.env->DeleteFile(file).PermitUncheckedError();
  return FromRocksDb(status, "write " + file);
}

Status RocksDbPackStore::Repair() {
  WriterLock lock(db_mu_);
  if (!needs_repair_.load(std::memory_order_relaxed)) return Status::Ok();
  VARVE_RETURN_IF_ERROR(ProbeDisk());
  CloseDb();
  const rocksdb::Status status = OpenDb(options_, /*read_only=*/false, &db_);
  if (!status.ok()) {
    OpenDb(options_, /*read_only=*/true, &db_).PermitUncheckedError();  // so that reads go on if they can
    return FromRocksDb(status, "reopen packs in " + options_.path);
  }
  MutexLock failed_lock(failed_mu_);
  VARVE_RETURN_IF_ERROR(DropLocked(failed_));
  failed_.clear();
  needs_repair_.store(false, std::memory_order_relaxed);
  return Status::Ok();
}

Result<std::unique_ptr<PendingPack>> RocksDbPackStore::Begin(const PackId& id) {
  VARVE_RETURN_IF_ERROR(PrepareToWrite("write a pack"));
  const Status existing = ReadBlock(id, kPackDirectoryBlock).status().Clone();
  if (existing.code() != Code::kNotFound) {
    return existing.ok() ? InvalidArgument(id.ToString() + " exists already") : existing.Clone();
  }
  auto pending = std::make_unique<PendingRocksDbPack>(this, id);
  VARVE_RETURN_IF_ERROR(pending->Open());
  return std::unique_ptr<PendingPack>(std::move(pending));
}

Status RocksDbPackStore::Ingest(const std::string& file, const PackId& id) {
  rocksdb::IngestExternalFileOptions options;
  options.move_files = true;
  options.failed_move_fall_back_to_copy = true;
  options.snapshot_consistency = false;
  options.allow_blocking_flush = false;
  options.write_global_seqno = false;
  options.fail_if_not_bottommost_level = true;
  ReaderLock lock(db_mu_);
  if (db_ == nullptr) return NotOpen();
  const rocksdb::Status status = db_->IngestExternalFile({file}, options);
  if (!status.ok()) {
    MutexLock failed_lock(failed_mu_);
    failed_.push_back(id);
    needs_repair_.store(true, std::memory_order_relaxed);
  }
  return FromRocksDb(status, "ingest " + id.ToString());
}

Result<PackBytes> RocksDbPackStore::ReadBlock(const PackId& id, uint32_t block) const {
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = false;
  // Without a block cache it owns the bytes; they outlive even the DB.
  auto value = std::make_shared<rocksdb::PinnableSlice>();
  ReaderLock lock(db_mu_);
  if (db_ == nullptr) return NotOpen();
  const rocksdb::Status status =
      db_->Get(options, db_->DefaultColumnFamily(), PackKey(id, block), value.get());
  if (!status.ok()) {
    const std::string what = block == kPackDirectoryBlock ? "directory" : "block " + std::to_string(block);
    return FromRocksDb(status, what + " of " + id.ToString());
  }
  const std::string_view view = View(*value);
  return PackBytes{view, std::move(value)};
}

Result<PackDirectory> RocksDbPackStore::ReadDirectory(const PackId& id) const {
  VARVE_ASSIGN_OR_RETURN(const PackBytes bytes, ReadBlock(id, kPackDirectoryBlock));
  auto directory = DecodePackDirectory(bytes.view);
  if (!directory.ok()) return std::move(directory).status().WithContext(id.ToString());
  return directory;
}

Result<std::vector<PackInfo>> RocksDbPackStore::List() const {
  std::vector<rocksdb::LiveFileMetaData> files;
  {
    ReaderLock lock(db_mu_);
    if (db_ == nullptr) return NotOpen();
    db_->GetLiveFilesMetaData(&files);
  }
  std::vector<PackInfo> packs;
  packs.reserve(files.size());
  for (const auto& file : files) {
    PackInfo info;
    PackId last;
    uint32_t block = 0;
    if (!ParsePackKey(file.smallestkey, &info.id, &block) || !ParsePackKey(file.largestkey, &last, &block) ||
        last != info.id) {
      return Corruption(file.db_path + file.name + ": is not one pack");
    }
    info.bytes_on_disk = file.size;
    uint64_t size = 0;
    info.readable = db_options_.env->GetFileSize(file.db_path + file.name, &size).ok() && size == file.size;
    packs.push_back(info);
  }
  std::sort(packs.begin(), packs.end(), [](const PackInfo& a, const PackInfo& b) { return a.id < b.id; });
  return packs;
}

Status RocksDbPackStore::DropLocked(std::span<const PackId> ids) {
  if (ids.empty()) return Status::Ok();
  std::vector<std::pair<std::string, std::string>> keys;
  for (const PackId& id : ids) keys.emplace_back(PackKey(id, 0), PackKey(id, kPackDirectoryBlock));
  std::vector<rocksdb::Slice> limits(keys.size() * 2);
  std::vector<rocksdb::RangePtr> ranges;
  for (size_t i = 0; i < keys.size(); ++i) {
    limits[2 * i] = keys[i].first;
    limits[2 * i + 1] = keys[i].second;
    ranges.emplace_back(&limits[2 * i], &limits[2 * i + 1]);
  }
  const rocksdb::Status status = rocksdb::DeleteFilesInRanges(
      db_.get(), db_->DefaultColumnFamily(), ranges.data(), ranges.size(), /*include_end=*/true);
  if (!status.ok()) needs_repair_.store(true, std::memory_order_relaxed);
  return FromRocksDb(status, "drop packs");
}

Status RocksDbPackStore::Drop(std::span<const PackId> ids) {
  VARVE_RETURN_IF_ERROR(PrepareToWrite("drop packs"));
  ReaderLock lock(db_mu_);
  return db_ == nullptr ? NotOpen() : DropLocked(ids);
}

Status RocksDbPackStore::Checkpoint(const std::string& path) const {
  const ReaderLock lock(db_mu_);
  if (db_ == nullptr) return NotOpen();
  rocksdb::Checkpoint* raw = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(db_.get(), &raw);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  if (status.ok()) status = checkpoint->CreateCheckpoint(path);
  return FromRocksDb(status, "copying the packs to " + path);
}

Status RocksDbPackStore::DropBuckets(uint8_t retention_class, int32_t begin_bucket, int32_t end_bucket) {
  VARVE_RETURN_IF_ERROR(PrepareToWrite("drop packs"));
  if (begin_bucket >= end_bucket) return Status::Ok();
  const std::string begin_key = PackKey({retention_class, begin_bucket, 0, 0}, 0);
  const std::string end_key = PackKey({retention_class, end_bucket, 0, 0}, 0);
  const rocksdb::Slice begin(begin_key);
  const rocksdb::Slice end(end_key);
  const rocksdb::RangePtr range(&begin, &end);
  ReaderLock lock(db_mu_);
  if (db_ == nullptr) return NotOpen();
  const rocksdb::Status status =
      rocksdb::DeleteFilesInRanges(db_.get(), db_->DefaultColumnFamily(), &range, 1, /*include_end=*/false);
  if (!status.ok()) needs_repair_.store(true, std::memory_order_relaxed);
  return FromRocksDb(status, "drop buckets");
}

// Creates <path>/pending and removes what a crash left there.
Status CleanPending(rocksdb::Env* env, const std::string& path) {
  const std::string pending = path + "/pending";
  VARVE_RETURN_IF_ERROR(FromRocksDb(env->CreateDirIfMissing(pending), pending));
  std::vector<std::string> names;
  VARVE_RETURN_IF_ERROR(FromRocksDb(env->GetChildren(pending, &names), pending));
  for (const std::string& name : names) {
    if (name == "." || name == "..") continue;
    const std::string file = pending + "/" + name;
    VARVE_RETURN_IF_ERROR(FromRocksDb(env->DeleteFile(file), file));
  }
  return Status::Ok();
}

}  // namespace

Result<std::unique_ptr<PackStore>> OpenRocksDbPackStore(const RocksDbPackStoreOptions& options) {
  std::unique_ptr<rocksdb::DB> db;
  VARVE_RETURN_IF_ERROR(
      FromRocksDb(OpenDb(options, options.read_only, &db), "open packs in " + options.path));
  if (!options.read_only) {
    VARVE_RETURN_IF_ERROR(
        CleanPending(options.env != nullptr ? options.env : rocksdb::Env::Default(), options.path));
  }
  return std::unique_ptr<PackStore>(std::make_unique<RocksDbPackStore>(options, std::move(db)));
}

}  // namespace varve
