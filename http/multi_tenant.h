// Reads over several tenants at once (X-Scope-OrgID: A|B): an engine whose readers see the streams of all of
// them, each with the label __tenant_id__.
//
// A stream's own label of that name becomes original___tenant_id__. Selectors may name both: matchers of
// __tenant_id__ choose among the tenants. The same entry of two tenants stays two entries, as their labels
// differ. Threads: thread-safe, as Engine. Ownership: the engine behind it must outlive this and its
// snapshots; what SelectStreams gives lives as long as this, what snapshots give as long as they.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/engine.h"

namespace varve {

inline constexpr std::string_view kTenantLabel = "__tenant_id__";
inline constexpr std::string_view kOriginalTenantLabel = "original___tenant_id__";
// Of one request; beyond it `too many tenant IDs present. max: 256 actual: 300`.
inline constexpr size_t kTenantsMax = 256;

// "b|a|b" → {"a", "b"}. kInvalidArgument: a name that is none, or too many.
Result<std::vector<std::string>> SplitTenants(std::string_view names);

// For reading: what writes or deletes is refused.
class MultiTenantEngine final : public Engine {
 public:
  // `tenants` as of SplitTenants; one that was never seen owns nothing. The tenant given to the reading
  // functions does not matter.
  MultiTenantEngine(Engine* engine, std::vector<std::string> tenants);

  Result<std::unique_ptr<const LogSnapshot>> SnapshotLogs(TenantId tenant,
                                                          const std::vector<Matcher>& matchers,
                                                          TimeRange range) const override;
  Result<std::vector<const Labels*>> SelectStreams(TenantId tenant, const std::vector<Matcher>& matchers,
                                                   TimeRange range) const override;
  // None: no answer over several tenants is kept.
  std::optional<uint64_t> DataGeneration(TimeRange) const override { return std::nullopt; }

  Status Recover(const ReplayFn& replay) override;
  Result<TenantId> InternTenant(std::string_view name) override;
  Result<TenantId> FindTenant(std::string_view name) const override { return engine_->FindTenant(name); }
  Result<StreamOrdinal> InternStream(TenantId tenant, const Labels& labels) override;
  const Labels& StreamLabels(StreamOrdinal stream) const override { return engine_->StreamLabels(stream); }
  TenantId StreamTenant(StreamOrdinal stream) const override { return engine_->StreamTenant(stream); }
  Status Append(const AppendBatch& batch, std::string_view record) override;
  void SetAppendObserver(AppendObserver*) override {}
  Status Flush() override;
  Status Compact() override;
  Status Checkpoint(const std::string& directory) override;
  Result<DeleteRequest> AddDelete(std::string_view tenant, std::string_view query, int64_t start_ns,
                                  int64_t end_ns) override;
  std::vector<DeleteRequest> ListDeletes(std::string_view) const override { return {}; }
  Status CancelDelete(std::string_view tenant, std::string_view id, bool force) override;
  uint64_t DeleteGeneration(std::string_view tenant) const override {
    return engine_->DeleteGeneration(tenant);
  }
  MemoryBudget* ingest_budget() override { return engine_->ingest_budget(); }
  MetricStore& metrics() override { return engine_->metrics(); }
  RecordStore& records() override { return engine_->records(); }
  MemoryBudget* query_budget() override { return engine_->query_budget(); }
  ThreadPool* query_pool() override { return engine_->query_pool(); }
  const EngineOptions& options() const override { return engine_->options(); }
  EngineStats Stats() const override { return engine_->Stats(); }
  Status Close() override;

 private:
  struct Tenant {
    std::string name;
    TenantId id = 0;
  };
  // The tenants that matchers of __tenant_id__ choose, and the other matchers as the engine knows them.
  struct Selection {
    std::vector<const Tenant*> tenants;
    std::vector<Matcher> matchers;
  };
  Result<Selection> Select(const std::vector<Matcher>& matchers) const;

  Engine* const engine_;
  std::vector<Tenant> tenants_;  // constant after construction
  mutable Mutex mu_;
  mutable std::deque<Labels> labels_ VARVE_GUARDED_BY(mu_);  // what SelectStreams has given
};

}  // namespace varve
