// The meta store in the hot database's families "meta" and "stream".
//
// Keys and values: docs/format.md, "Hot database". Threads, errors: see meta_store.h.
#pragma once

#include "engine/journal/hot_db.h"
#include "engine/meta/meta_store.h"

namespace varve {

class RocksDbMetaStore final : public MetaStore {
 public:
  // `db` must outlive this.
  explicit RocksDbMetaStore(HotDb* db) : db_(db) {}

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
  HotDb* const db_;
};

}  // namespace varve
