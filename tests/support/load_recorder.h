// An Engine that watches and disturbs how another one is read: which columns of which sources are loaded,
// and a failure of the n-th load.
//
// Threads: thread-safe. Ownership: borrows the engine.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/engine.h"

namespace varve::testing {

class LoadRecorder final : public Engine {
 public:
  struct Load {
    uint32_t source;
    ColumnMask want;
  };

  explicit LoadRecorder(Engine* engine) : engine_(*engine) {}

  // What has been loaded since the last call.
  std::vector<Load> TakeLoads() VARVE_EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return std::exchange(loads_, {});
  }
  // Lets `n` more loads succeed; the one after answers kCorruption.
  void FailLoadAfter(int64_t n) VARVE_EXCLUDES(mu_) {
    MutexLock lock(mu_);
    loads_until_failure_ = n;
  }
  Status Record(uint32_t source, ColumnMask want) VARVE_EXCLUDES(mu_) {
    MutexLock lock(mu_);
    loads_.push_back({source, want});
    if (loads_until_failure_ >= 0 && loads_until_failure_-- == 0) return Corruption("the block is damaged");
    return Status::Ok();
  }

  Result<std::unique_ptr<const LogSnapshot>> SnapshotLogs(TenantId tenant,
                                                          const std::vector<Matcher>& matchers,
                                                          TimeRange range) const override {
    VARVE_ASSIGN_OR_RETURN(auto snapshot, engine_.SnapshotLogs(tenant, matchers, range));
    return std::unique_ptr<const LogSnapshot>(
        std::make_unique<Snapshot>(std::move(snapshot), const_cast<LoadRecorder*>(this)));
  }

  Status Recover(const ReplayFn& replay) override { return engine_.Recover(replay); }
  Result<TenantId> InternTenant(std::string_view name) override { return engine_.InternTenant(name); }
  Result<TenantId> FindTenant(std::string_view name) const override { return engine_.FindTenant(name); }
  Result<StreamOrdinal> InternStream(TenantId tenant, const Labels& labels) override {
    return engine_.InternStream(tenant, labels);
  }
  const Labels& StreamLabels(StreamOrdinal stream) const override { return engine_.StreamLabels(stream); }
  TenantId StreamTenant(StreamOrdinal stream) const override { return engine_.StreamTenant(stream); }
  Status Append(const AppendBatch& batch, std::string_view record) override {
    return engine_.Append(batch, record);
  }
  void SetAppendObserver(AppendObserver* observer) override { engine_.SetAppendObserver(observer); }
  Status Flush() override { return engine_.Flush(); }
  Result<std::vector<const Labels*>> SelectStreams(TenantId tenant, const std::vector<Matcher>& matchers,
                                                   TimeRange range) const override {
    return engine_.SelectStreams(tenant, matchers, range);
  }
  std::optional<uint64_t> DataGeneration(TimeRange range) const override {
    return engine_.DataGeneration(range);
  }
  Result<DeleteRequest> AddDelete(std::string_view tenant, std::string_view query, int64_t start_ns,
                                  int64_t end_ns) override {
    return engine_.AddDelete(tenant, query, start_ns, end_ns);
  }
  std::vector<DeleteRequest> ListDeletes(std::string_view tenant) const override {
    return engine_.ListDeletes(tenant);
  }
  Status CancelDelete(std::string_view tenant, std::string_view id, bool force) override {
    return engine_.CancelDelete(tenant, id, force);
  }
  uint64_t DeleteGeneration(std::string_view tenant) const override {
    return engine_.DeleteGeneration(tenant);
  }
  Status Compact() override { return engine_.Compact(); }
  Status Checkpoint(const std::string& directory) override { return engine_.Checkpoint(directory); }
  MemoryBudget* ingest_budget() override { return engine_.ingest_budget(); }
  MetricStore& metrics() override { return engine_.metrics(); }
  RecordStore& records() override { return engine_.records(); }
  MemoryBudget* query_budget() override { return engine_.query_budget(); }
  ThreadPool* query_pool() override { return engine_.query_pool(); }
  const EngineOptions& options() const override { return engine_.options(); }
  EngineStats Stats() const override { return engine_.Stats(); }
  Status Close() override { return engine_.Close(); }

 private:
  class Snapshot final : public LogSnapshot {
   public:
    Snapshot(std::unique_ptr<const LogSnapshot> snapshot, LoadRecorder* engine)
        : snapshot_(std::move(snapshot)), engine_(*engine) {}
    const std::vector<SelectedStream>& streams() const override { return snapshot_->streams(); }
    const std::vector<LogSlice>& slices() const override { return snapshot_->slices(); }
    uint32_t source_count() const override { return snapshot_->source_count(); }
    std::string SourceName(uint32_t source) const override { return snapshot_->SourceName(source); }
    uint64_t SourceBytesOnDisk(uint32_t source) const override {
      return snapshot_->SourceBytesOnDisk(source);
    }
    Result<std::shared_ptr<const LogColumns>> Load(uint32_t source, ColumnMask want,
                                                   MemoryBudget* budget) const override {
      VARVE_RETURN_IF_ERROR(engine_.Record(source, want));
      return snapshot_->Load(source, want, budget);
    }
    Status DropHidden(const LogSlice& slice, MemoryBudget* budget,
                      std::vector<uint32_t>* rows) const override {
      return snapshot_->DropHidden(slice, budget, rows);
    }

   private:
    const std::unique_ptr<const LogSnapshot> snapshot_;
    LoadRecorder& engine_;
  };

  Engine& engine_;
  Mutex mu_;
  std::vector<Load> loads_ VARVE_GUARDED_BY(mu_);
  int64_t loads_until_failure_ VARVE_GUARDED_BY(mu_) = -1;
};

}  // namespace varve::testing
