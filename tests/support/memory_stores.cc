#include "tests/support/memory_stores.h"

#include <algorithm>
#include <chrono>

#include "engine/journal/hot_db.h"

namespace varve {
namespace {

class HookedPendingPack final : public PendingPack {
 public:
  HookedPendingPack(std::unique_ptr<PendingPack> pending, const StepHook* hook)
      : pending_(std::move(pending)), hook_(hook) {}
  Status AddBlock(std::string_view block) override { return pending_->AddBlock(block); }
  Status CommitBytes(std::string_view directory) override {
    if (*hook_ != nullptr) VARVE_RETURN_IF_ERROR((*hook_)("pack"));
    return pending_->CommitBytes(directory);
  }

 private:
  const std::unique_ptr<PendingPack> pending_;
  const StepHook* const hook_;
};

// Forwards to a store that outlives it.
class SharedPackStore final : public PackStore {
 public:
  SharedPackStore(std::shared_ptr<PackStore> store, StepHook hook)
      : store_(std::move(store)), hook_(std::move(hook)) {}
  Result<std::unique_ptr<PendingPack>> Begin(const PackId& id) override {
    VARVE_ASSIGN_OR_RETURN(std::unique_ptr<PendingPack> pending, store_->Begin(id));
    return std::unique_ptr<PendingPack>(std::make_unique<HookedPendingPack>(std::move(pending), &hook_));
  }
  Result<PackBytes> ReadBlock(const PackId& id, uint32_t block) const override {
    return store_->ReadBlock(id, block);
  }
  Result<PackDirectory> ReadDirectory(const PackId& id) const override { return store_->ReadDirectory(id); }
  Result<std::vector<PackInfo>> List() const override { return store_->List(); }
  Status Drop(std::span<const PackId> ids) override {
    if (hook_ != nullptr) VARVE_RETURN_IF_ERROR(hook_("drop"));
    return store_->Drop(ids);
  }
  Status DropBuckets(uint8_t retention_class, int32_t begin, int32_t end) override {
    return store_->DropBuckets(retention_class, begin, end);
  }

 private:
  const std::shared_ptr<PackStore> store_;
  const StepHook hook_;
};

class HookedMetaStore final : public MetaStore {
 public:
  HookedMetaStore(std::unique_ptr<MetaStore> store, StepHook hook)
      : store_(std::move(store)), hook_(std::move(hook)) {}
  Status Commit(const MetaCommit& commit) override {
    if (hook_ != nullptr) VARVE_RETURN_IF_ERROR(hook_("commit"));
    VARVE_RETURN_IF_ERROR(store_->Commit(commit));
    return hook_ == nullptr ? Status::Ok() : hook_("commit reported");
  }
  Result<std::vector<MetaCommit::Pack>> ListPacks() const override { return store_->ListPacks(); }
  Result<std::map<uint32_t, uint64_t>> ListWatermarks() const override { return store_->ListWatermarks(); }
  Result<std::map<uint64_t, std::string>> ListDeletes() const override { return store_->ListDeletes(); }
  Status PutStream(const StreamRecord& stream) override { return store_->PutStream(stream); }
  Status DeleteStreams(const std::vector<StreamRecord>& streams) override {
    return store_->DeleteStreams(streams);
  }
  Status ForEachStream(const std::function<Status(const StreamRecord&)>& fn) const override {
    return store_->ForEachStream(fn);
  }
  Status PutSeries(const StreamRecord& series) override { return store_->PutSeries(series); }
  Status DeleteSeries(const std::vector<StreamRecord>& series) override { return store_->DeleteSeries(series); }
  Status ForEachSeries(const std::function<Status(const StreamRecord&)>& fn) const override {
    return store_->ForEachSeries(fn);
  }
  Status WriteRecords(const std::vector<Record>& put, const std::vector<std::string>& removed) override {
    return store_->WriteRecords(put, removed);
  }
  Status ForEachRecord(std::string_view prefix,
                       const std::function<Status(std::string_view, std::string_view)>& fn) const override {
    return store_->ForEachRecord(prefix, fn);
  }
  Result<std::optional<std::string>> GetSetting(std::string_view name) const override {
    return store_->GetSetting(name);
  }
  Status PutSetting(std::string_view name, std::string_view value) override {
    return store_->PutSetting(name, value);
  }

 private:
  const std::unique_ptr<MetaStore> store_;
  const StepHook hook_;
};

}  // namespace

EngineStores MakeMemoryStores(const MemoryDisk& disk, StepHook hook) {
  EngineStores stores;
  stores.meta =
      std::make_unique<HookedMetaStore>(std::make_unique<MemoryMetaStore>(disk.meta, disk.journal), hook);
  JournalSeq floor = 0;
  const Result<std::map<uint32_t, uint64_t>> watermarks = stores.meta->ListWatermarks();
  for (const auto& [shard, seq] : *watermarks) floor = std::max(floor, seq);
  std::function<Status()> before_append;
  if (hook != nullptr) before_append = [hook] { return hook("journal"); };
  stores.journal = std::make_unique<MemoryJournal>(disk.journal, floor, before_append);
  stores.packs = std::make_unique<SharedPackStore>(disk.packs, hook);
  return stores;
}

Status EngineTestPeer::CutShard(uint32_t number) {
  Shard* shard = engine_->shards_[number].get();
  uint64_t failures_before = 0;
  {
    const MutexLock lock(engine_->cut_mu_);
    failures_before = engine_->cut_failures_;
  }
  if (!engine_->CutShard(shard)) return Status::Ok();
  for (;;) {
    {
      const MutexLock lock(shard->mu);
      if (shard->sealed == nullptr) return Status::Ok();
    }
    const MutexLock lock(engine_->cut_mu_);
    if (engine_->cut_failures_ != failures_before) return engine_->last_cut_failure_.Clone();
    engine_->cut_progress_.WaitFor(engine_->cut_mu_, std::chrono::milliseconds(1));
  }
}

uint32_t EngineTestPeer::shard_count() const { return static_cast<uint32_t>(engine_->shards_.size()); }

Status EngineTestPeer::RunRetentionOnce() {
  Status status = engine_->DropExpiredPacks();
  if (status.ok()) status = engine_->DropBeyondSize();
  engine_->FreeDroppedPacks();
  return status;
}

size_t EngineTestPeer::dropped_but_not_freed() const {
  const MutexLock lock(engine_->commit_mu_);
  return engine_->dropped_packs_.size();
}

}  // namespace varve
