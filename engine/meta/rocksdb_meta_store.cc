#include "engine/meta/rocksdb_meta_store.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <memory>

#include "engine/base/bytes.h"
#include "engine/base/failpoint.h"

namespace varve {
namespace {

constexpr std::string_view kPackPrefix = "pack/";
constexpr std::string_view kWatermarkPrefix = "wm/";
constexpr std::string_view kDeletePrefix = "del/";
constexpr std::string_view kRecordPrefix = "rec/";
constexpr std::string_view kSettingPrefix = "cfg/";

std::string Prefixed(std::string_view prefix, std::string_view rest) {
  std::string key(prefix);
  key += rest;
  return key;
}

std::string WatermarkKey(uint32_t shard) {
  std::string key(kWatermarkPrefix);
  PutBigEndian32(&key, shard);
  return key;
}

std::string DeleteKey(uint64_t number) {
  std::string key(kDeletePrefix);
  PutBigEndian64(&key, number);
  return key;
}

// Calls fn(rest of key, value) for each key of `family` that starts with `prefix`.
Status Scan(const HotDb& db, rocksdb::ColumnFamilyHandle* family, std::string_view prefix,
            const std::function<Status(std::string_view, std::string_view)>& fn) {
  rocksdb::ReadOptions read;
  read.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> it(db.db()->NewIterator(read, family));
  for (it->Seek(rocksdb::Slice(prefix.data(), prefix.size())); it->Valid(); it->Next()) {
    const std::string_view key = it->key().ToStringView();
    if (!key.starts_with(prefix)) break;
    VARVE_RETURN_IF_ERROR(fn(key.substr(prefix.size()), it->value().ToStringView()));
  }
  return FromRocksDb(it->status(), "reading the hot database");
}

// Identities of streams and of series are stored alike, each in a family of its own.
Status PutIdentity(HotDb* db, rocksdb::ColumnFamilyHandle* family, const StreamRecord& record,
                   std::string_view context) {
  std::string value;
  PutFixed<uint64_t>(&value, record.fingerprint);
  rocksdb::WriteBatch batch;
  VARVE_RETURN_IF_ERROR(FromRocksDb(batch.Put(family, StreamKey(record.tenant, record.canonical), value), context));
  return db->Write(&batch, /*sync=*/false, context);
}

Status DeleteIdentities(HotDb* db, rocksdb::ColumnFamilyHandle* family, const std::vector<StreamRecord>& records,
                        std::string_view context) {
  rocksdb::WriteBatch batch;
  for (const StreamRecord& record : records) {
    VARVE_RETURN_IF_ERROR(FromRocksDb(batch.Delete(family, StreamKey(record.tenant, record.canonical)), context));
  }
  return db->Write(&batch, /*sync=*/false, context);
}

// A family that a read-only open did not find has none.
Status ForEachIdentity(const HotDb& db, rocksdb::ColumnFamilyHandle* family,
                       const std::function<Status(const StreamRecord&)>& fn) {
  if (family == nullptr) return Status::Ok();
  StreamRecord record;
  return Scan(db, family, "", [&](std::string_view key, std::string_view value) -> Status {
    ByteReader key_reader(key);
    ByteReader value_reader(value);
    record.tenant = key_reader.LengthPrefixed();
    record.canonical = key_reader.Bytes(key_reader.remaining());
    record.fingerprint = value_reader.Fixed<uint64_t>();
    if (!key_reader.AtEnd() || !value_reader.AtEnd()) {
      return Corruption("hot database: the identity of a stream or series is malformed");
    }
    return fn(record);
  });
}

}  // namespace

std::string StreamKey(std::string_view tenant, std::string_view canonical) {
  std::string key;
  key.reserve(tenant.size() + canonical.size() + 2);
  PutLengthPrefixed(&key, tenant);
  key += canonical;
  return key;
}

Status RocksDbMetaStore::Commit(const MetaCommit& commit) {
  rocksdb::WriteBatch batch;
  rocksdb::Status status;
  const auto keep_first = [&status](const rocksdb::Status& next) {
    if (status.ok()) status = next;
  };
  for (const MetaCommit::Pack& pack : commit.added) {
    keep_first(batch.Put(db_->meta(), Prefixed(kPackPrefix, pack.key), pack.summary));
  }
  for (const std::string& key : commit.removed) {
    keep_first(batch.Delete(db_->meta(), Prefixed(kPackPrefix, key)));
  }
  for (const MetaCommit::Watermark& watermark : commit.watermarks) {
    std::string value;
    PutFixed<uint64_t>(&value, watermark.seq);
    keep_first(batch.Put(db_->meta(), WatermarkKey(watermark.shard), value));
  }
  for (const auto& [number, bytes] : commit.deletes) {
    keep_first(batch.Put(db_->meta(), DeleteKey(number), bytes));
  }
  for (const uint64_t number : commit.deletes_removed) {
    keep_first(batch.Delete(db_->meta(), DeleteKey(number)));
  }
  if (commit.trim_journal_through > 0) {
    std::string begin;
    std::string end;
    PutBigEndian64(&begin, 0);
    PutBigEndian64(&end, commit.trim_journal_through + 1);
    keep_first(batch.DeleteRange(db_->journal(), begin, end));
  }
  VARVE_RETURN_IF_ERROR(FromRocksDb(status, "preparing a commit"));
  VARVE_KILL_POINT("before_commit");
  VARVE_RETURN_IF_ERROR(db_->Write(&batch, /*sync=*/true, "committing packs"));
  VARVE_KILL_POINT("after_commit");
  return Status::Ok();
}

Result<std::vector<MetaCommit::Pack>> RocksDbMetaStore::ListPacks() const {
  std::vector<MetaCommit::Pack> packs;
  VARVE_RETURN_IF_ERROR(
      Scan(*db_, db_->meta(), kPackPrefix, [&](std::string_view key, std::string_view value) {
        packs.push_back({.key = std::string(key), .summary = std::string(value)});
        return Status::Ok();
      }));
  return packs;
}

Result<std::map<uint32_t, uint64_t>> RocksDbMetaStore::ListWatermarks() const {
  std::map<uint32_t, uint64_t> watermarks;
  VARVE_RETURN_IF_ERROR(
      Scan(*db_, db_->meta(), kWatermarkPrefix, [&](std::string_view key, std::string_view value) -> Status {
        ByteReader key_reader(key);
        ByteReader value_reader(value);
        const uint32_t shard = key_reader.BigEndian32();
        const uint64_t seq = value_reader.Fixed<uint64_t>();
        if (!key_reader.AtEnd() || !value_reader.AtEnd()) {
          return Corruption("hot database: a watermark is malformed");
        }
        watermarks[shard] = seq;
        return Status::Ok();
      }));
  return watermarks;
}

Result<std::map<uint64_t, std::string>> RocksDbMetaStore::ListDeletes() const {
  std::map<uint64_t, std::string> deletes;
  VARVE_RETURN_IF_ERROR(
      Scan(*db_, db_->meta(), kDeletePrefix, [&](std::string_view key, std::string_view value) -> Status {
        ByteReader key_reader(key);
        const uint64_t number = key_reader.BigEndian64();
        if (!key_reader.AtEnd()) return Corruption("hot database: the key of a delete request is malformed");
        deletes[number] = std::string(value);
        return Status::Ok();
      }));
  return deletes;
}

Status RocksDbMetaStore::PutStream(const StreamRecord& stream) {
  return PutIdentity(db_, db_->stream(), stream, "storing a stream's identity");
}

Status RocksDbMetaStore::DeleteStreams(const std::vector<StreamRecord>& streams) {
  return DeleteIdentities(db_, db_->stream(), streams, "dropping streams");
}

Status RocksDbMetaStore::ForEachStream(const std::function<Status(const StreamRecord&)>& fn) const {
  return ForEachIdentity(*db_, db_->stream(), fn);
}

Status RocksDbMetaStore::PutSeries(const StreamRecord& series) {
  return PutIdentity(db_, db_->series(), series, "storing a series' identity");
}

Status RocksDbMetaStore::DeleteSeries(const std::vector<StreamRecord>& series) {
  return DeleteIdentities(db_, db_->series(), series, "dropping series");
}

Status RocksDbMetaStore::ForEachSeries(const std::function<Status(const StreamRecord&)>& fn) const {
  return ForEachIdentity(*db_, db_->series(), fn);
}

Status RocksDbMetaStore::WriteRecords(const std::vector<Record>& put, const std::vector<std::string>& removed) {
  rocksdb::WriteBatch batch;
  rocksdb::Status status;
  for (const Record& record : put) {
    if (status.ok()) status = batch.Put(db_->meta(), Prefixed(kRecordPrefix, record.key), record.value);
  }
  for (const std::string& key : removed) {
    if (status.ok()) status = batch.Delete(db_->meta(), Prefixed(kRecordPrefix, key));
  }
  VARVE_RETURN_IF_ERROR(FromRocksDb(status, "preparing records"));
  return db_->Write(&batch, /*sync=*/false, "storing records");
}

Status RocksDbMetaStore::ForEachRecord(
    std::string_view prefix, const std::function<Status(std::string_view key, std::string_view value)>& fn) const {
  return Scan(*db_, db_->meta(), Prefixed(kRecordPrefix, prefix), [&](std::string_view rest, std::string_view value) {
    return fn(std::string(prefix).append(rest), value);
  });
}

Result<std::optional<std::string>> RocksDbMetaStore::GetSetting(std::string_view name) const {
  std::string value;
  const rocksdb::Status status =
      db_->db()->Get(rocksdb::ReadOptions(), db_->meta(), Prefixed(kSettingPrefix, name), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  VARVE_RETURN_IF_ERROR(FromRocksDb(status, "reading a setting"));
  return std::optional<std::string>(std::move(value));
}

Status RocksDbMetaStore::PutSetting(std::string_view name, std::string_view value) {
  rocksdb::WriteBatch batch;
  VARVE_RETURN_IF_ERROR(FromRocksDb(
      batch.Put(db_->meta(), Prefixed(kSettingPrefix, name), rocksdb::Slice(value.data(), value.size())),
      "preparing a setting"));
  return db_->Write(&batch, /*sync=*/true, "storing a setting");
}

}  // namespace varve
