#include "engine/meta/memory_meta_store.h"

namespace varve {

Status MemoryMetaStore::Commit(const MetaCommit& commit) {
  if (before_commit_ != nullptr) VARVE_RETURN_IF_ERROR(before_commit_());
  {
    const MutexLock lock(disk_->mu);
    for (const MetaCommit::Pack& pack : commit.added) disk_->packs[pack.key] = pack.summary;
    for (const std::string& key : commit.removed) disk_->packs.erase(key);
    for (const MetaCommit::Watermark& watermark : commit.watermarks) {
      disk_->watermarks[watermark.shard] = watermark.seq;
    }
    for (const auto& [number, bytes] : commit.deletes) disk_->deletes[number] = bytes;
    for (const uint64_t number : commit.deletes_removed) disk_->deletes.erase(number);
  }
  if (commit.trim_journal_through > 0) journal_->TrimThrough(commit.trim_journal_through);
  return Status::Ok();
}

Result<std::vector<MetaCommit::Pack>> MemoryMetaStore::ListPacks() const {
  const MutexLock lock(disk_->mu);
  std::vector<MetaCommit::Pack> packs;
  for (const auto& [key, summary] : disk_->packs) packs.push_back({.key = key, .summary = summary});
  return packs;
}

Result<std::map<uint32_t, uint64_t>> MemoryMetaStore::ListWatermarks() const {
  const MutexLock lock(disk_->mu);
  return std::map<uint32_t, uint64_t>(disk_->watermarks);
}

Result<std::map<uint64_t, std::string>> MemoryMetaStore::ListDeletes() const {
  const MutexLock lock(disk_->mu);
  return std::map<uint64_t, std::string>(disk_->deletes);
}

Status MemoryMetaStore::PutSeries(const StreamRecord& series) {
  const MutexLock lock(disk_->mu);
  disk_->series[StreamKey(series.tenant, series.canonical)] = series;
  return Status::Ok();
}

Status MemoryMetaStore::DeleteSeries(const std::vector<StreamRecord>& series) {
  const MutexLock lock(disk_->mu);
  for (const StreamRecord& one : series) disk_->series.erase(StreamKey(one.tenant, one.canonical));
  return Status::Ok();
}

Status MemoryMetaStore::ForEachSeries(const std::function<Status(const StreamRecord&)>& fn) const {
  std::map<std::string, StreamRecord> series;
  {
    const MutexLock lock(disk_->mu);
    series = disk_->series;
  }
  for (const auto& [key, one] : series) VARVE_RETURN_IF_ERROR(fn(one));
  return Status::Ok();
}

Status MemoryMetaStore::PutStream(const StreamRecord& stream) {
  const MutexLock lock(disk_->mu);
  disk_->streams[StreamKey(stream.tenant, stream.canonical)] = stream;
  return Status::Ok();
}

Status MemoryMetaStore::DeleteStreams(const std::vector<StreamRecord>& streams) {
  const MutexLock lock(disk_->mu);
  for (const StreamRecord& stream : streams) disk_->streams.erase(StreamKey(stream.tenant, stream.canonical));
  return Status::Ok();
}

Status MemoryMetaStore::ForEachStream(const std::function<Status(const StreamRecord&)>& fn) const {
  std::map<std::string, StreamRecord> streams;
  {
    const MutexLock lock(disk_->mu);
    streams = disk_->streams;
  }
  for (const auto& [key, stream] : streams) VARVE_RETURN_IF_ERROR(fn(stream));
  return Status::Ok();
}

Status MemoryMetaStore::WriteRecords(const std::vector<Record>& put, const std::vector<std::string>& removed) {
  const MutexLock lock(disk_->mu);
  for (const Record& record : put) disk_->records[record.key] = record.value;
  for (const std::string& key : removed) disk_->records.erase(key);
  return Status::Ok();
}

Status MemoryMetaStore::ForEachRecord(
    std::string_view prefix, const std::function<Status(std::string_view key, std::string_view value)>& fn) const {
  const MutexLock lock(disk_->mu);
  for (auto it = disk_->records.lower_bound(std::string(prefix)); it != disk_->records.end(); ++it) {
    if (!it->first.starts_with(prefix)) break;
    VARVE_RETURN_IF_ERROR(fn(it->first, it->second));
  }
  return Status::Ok();
}

Result<std::optional<std::string>> MemoryMetaStore::GetSetting(std::string_view name) const {
  const MutexLock lock(disk_->mu);
  const auto it = disk_->settings.find(std::string(name));
  if (it == disk_->settings.end()) return std::optional<std::string>();
  return std::optional<std::string>(it->second);
}

Status MemoryMetaStore::PutSetting(std::string_view name, std::string_view value) {
  const MutexLock lock(disk_->mu);
  disk_->settings[std::string(name)] = std::string(value);
  return Status::Ok();
}

}  // namespace varve
