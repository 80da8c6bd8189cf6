// The meta store in memory: the twin of RocksDbMetaStore for tests.
//
// Its contents outlive the object through MemoryMetaContents, which plays the disk.
// Threads, errors: see meta_store.h.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "engine/base/mutex.h"
#include "engine/journal/memory_journal.h"
#include "engine/meta/meta_store.h"

namespace varve {

struct MemoryMetaContents {
  Mutex mu;
  std::map<std::string, std::string> packs VARVE_GUARDED_BY(mu);
  std::map<uint32_t, uint64_t> watermarks VARVE_GUARDED_BY(mu);
  std::map<uint64_t, std::string> deletes VARVE_GUARDED_BY(mu);
  std::map<std::string, StreamRecord> streams VARVE_GUARDED_BY(mu);  // by StreamKey
  std::map<std::string, StreamRecord> series VARVE_GUARDED_BY(mu);   // likewise
  std::map<std::string, std::string> records VARVE_GUARDED_BY(mu);
  std::map<std::string, std::string> settings VARVE_GUARDED_BY(mu);
};

class MemoryMetaStore final : public MetaStore {
 public:
  // A commit also trims `journal`. `before_commit`, if set, may fail one by returning an error; then
  // nothing of it happens.
  MemoryMetaStore(std::shared_ptr<MemoryMetaContents> disk, std::shared_ptr<MemoryJournalRecords> journal,
                  std::function<Status()> before_commit = nullptr)
      : disk_(std::move(disk)), journal_(std::move(journal)), before_commit_(std::move(before_commit)) {}

  Status Commit(const MetaCommit& commit) override;
  Result<std::vector<MetaCommit::Pack>> ListPacks() const override;
  Result<std::map<uint32_t, uint64_t>> ListWatermarks() const override;
  Result<std::map<uint64_t, std::string>> ListDeletes() const override;
  Status PutStream(const StreamRecord& stream) override;
  Status DeleteStreams(const std::vector<StreamRecord>& streams) override;
  Status ForEachStream(const std::function<Status(const StreamRecord&)>& fn) const override;
  Status PutSeries(const StreamRecord& series) override;
  Status DeleteSeries(const std::vector<StreamRecord>& series) override;
  Status ForEachSeries(const std::function<Status(const StreamRecord&)>& fn) const override;
  Status WriteRecords(const std::vector<Record>& put, const std::vector<std::string>& removed) override;
  Status ForEachRecord(std::string_view prefix,
                       const std::function<Status(std::string_view key, std::string_view value)>& fn) const override;
  Result<std::optional<std::string>> GetSetting(std::string_view name) const override;
  Status PutSetting(std::string_view name, std::string_view value) override;

 private:
  const std::shared_ptr<MemoryMetaContents> disk_;
  const std::shared_ptr<MemoryJournalRecords> journal_;
  const std::function<Status()> before_commit_;
};

}  // namespace varve
