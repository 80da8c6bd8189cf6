// An Engine in plain vectors: the reference that the real one is compared with, and the engine under
// tests of query, ingest and http. Nothing is durable; Append's record is kept so that a test can replay it.
//
// Rows go into the open *segment*; Seal() closes it, as a cut would, and later rows start a new one. A
// snapshot shows each segment's rows sorted and without duplicates, in sources of at most
// `rows_per_source` rows; duplicates across segments are left to the reader, as scan.h promises.
// Threads: thread-safe (one lock).
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/bucket_generations.h"
#include "engine/engine.h"
#include "tests/support/memory_metric_store.h"
#include "tests/support/memory_record_store.h"

namespace varve::testing {

struct MemoryEngineOptions {
  uint32_t rows_per_source = 1024;
  int64_t query_budget_bytes = 1LL << 30;
  int64_t ingest_budget_bytes = 1LL << 30;
  uint32_t query_threads = 2;
  EngineOptions engine;  // what options() answers
};

class MemoryEngine final : public Engine {
 public:
  explicit MemoryEngine(MemoryEngineOptions options = {});
  ~MemoryEngine() override;

  // Closes the open segment.
  void Seal();
  // Every later Append answers with a copy of `status`, unless it is ok.
  void FailAppends(Status status);
  // The records given to Append so far.
  std::vector<std::string> Records() const;
  // Convenience for tests: interns the stream and appends one entry.
  void Add(const Labels& stream, int64_t ts_ns, std::string_view line, std::string_view metadata = {},
           std::string_view tenant = "fake");

  Status Recover(const ReplayFn& replay) override;
  Result<TenantId> InternTenant(std::string_view name) override;
  Result<TenantId> FindTenant(std::string_view name) const override;
  Result<StreamOrdinal> InternStream(TenantId tenant, const Labels& labels) override;
  const Labels& StreamLabels(StreamOrdinal stream) const override;
  TenantId StreamTenant(StreamOrdinal stream) const override;
  Status Append(const AppendBatch& batch, std::string_view record) override;
  void SetAppendObserver(AppendObserver* observer) override { append_observer_ = observer; }
  Status Flush() override;
  Result<std::unique_ptr<const LogSnapshot>> SnapshotLogs(TenantId tenant, const std::vector<Matcher>& matchers,
                                                          TimeRange range) const override;
  Result<std::vector<const Labels*>> SelectStreams(TenantId tenant, const std::vector<Matcher>& matchers,
                                                   TimeRange range) const override;
  std::optional<uint64_t> DataGeneration(TimeRange range) const override { return generations_.Read(range); }
  // Compiles with options.engine.row_filter_factory. Covers what was there: the open segment is sealed.
  Result<DeleteRequest> AddDelete(std::string_view tenant, std::string_view query, int64_t start_ns,
                                  int64_t end_ns) override;
  std::vector<DeleteRequest> ListDeletes(std::string_view tenant) const override;
  Status CancelDelete(std::string_view tenant, std::string_view id, bool force) override;
  uint64_t DeleteGeneration(std::string_view tenant) const override;
  Status Compact() override { return Status::Ok(); }
  Status Checkpoint(const std::string&) override { return Unimplemented("a store in memory has no directory"); }
  MemoryBudget* ingest_budget() override { return &ingest_budget_; }
  MetricStore& metrics() override { return metrics_; }
  RecordStore& records() override { return stored_facts_; }
  MemoryBudget* query_budget() override { return &query_budget_; }
  ThreadPool* query_pool() override { return &pool_; }
  const EngineOptions& options() const override { return options_.engine; }
  EngineStats Stats() const override;
  Status Close() override;

  struct Row {
    int64_t ts_ns;
    std::string line;
    std::string metadata;
  };

 private:
  struct Stream {
    TenantId tenant;
    Labels labels;
  };
  struct Delete {
    DeleteRequest request;  // `through` is the number of segments it covers
    std::shared_ptr<const RowFilter> filter;
  };
  using Segment = std::map<StreamOrdinal, std::vector<Row>>;

  void AppendLocked(const AppendBatch& batch) VARVE_REQUIRES(mu_);
  std::vector<StreamOrdinal> MatchLocked(TenantId tenant, const std::vector<Matcher>& matchers) const
      VARVE_REQUIRES(mu_);

  const MemoryEngineOptions options_;
  MemoryBudget ingest_budget_;
  MemoryMetricStore metrics_;
  MemoryRecordStore stored_facts_;
  MemoryBudget query_budget_;
  ThreadPool pool_;
  std::atomic<AppendObserver*> append_observer_{nullptr};
  BucketGenerations generations_;
  mutable Mutex mu_;
  std::vector<std::string> tenants_ VARVE_GUARDED_BY(mu_);
  std::deque<Stream> streams_ VARVE_GUARDED_BY(mu_);  // a deque: StreamLabels hands out references
  std::vector<Segment> segments_ VARVE_GUARDED_BY(mu_);  // the last one is open
  std::vector<std::string> records_ VARVE_GUARDED_BY(mu_);
  std::vector<Delete> deletes_ VARVE_GUARDED_BY(mu_);
  uint64_t delete_generation_ VARVE_GUARDED_BY(mu_) = 0;
  Status append_failure_ VARVE_GUARDED_BY(mu_);
  uint64_t entries_ VARVE_GUARDED_BY(mu_) = 0;
  uint64_t line_bytes_ VARVE_GUARDED_BY(mu_) = 0;
};

}  // namespace varve::testing
