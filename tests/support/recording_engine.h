// An engine that remembers, as text and as records, what ingest gives it; its clock stands still.
//
// Threads: as MemoryEngine, but what it remembers is for one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/time.h"
#include "engine/retention_policy.h"
#include "tests/support/memory_engine.h"

namespace varve::testing {

inline constexpr int64_t kNowNs = 1'795'000'000LL * kNsPerSecond;  // 2026-11-18T11:06:40Z

class FixedClock final : public Clock {
 public:
  int64_t NowNs() const override { return kNowNs; }
};

struct RecordingEngineOptions {
  int64_t ingest_budget_bytes = 1LL << 30;
  int64_t retention_ns = 0;
  std::shared_ptr<RetentionSource> retention;  // null: retention_ns for all
  // Whether what is appended is described; without it only the latest record is remembered.
  bool remember = true;
  // Whether it can be queried afterwards.
  bool store = true;
};

class RecordingEngine final : public Engine {
 public:
  explicit RecordingEngine(const RecordingEngineOptions& options = {})
      : options_(options), memory_(MemoryOptions(options, &clock_)) {}

  Status Recover(const ReplayFn& replay) override { return memory_.Recover(replay); }
  Result<TenantId> InternTenant(std::string_view name) override { return memory_.InternTenant(name); }
  Result<TenantId> FindTenant(std::string_view name) const override { return memory_.FindTenant(name); }
  Result<StreamOrdinal> InternStream(TenantId tenant, const Labels& labels) override {
    return memory_.InternStream(tenant, labels);
  }
  const Labels& StreamLabels(StreamOrdinal stream) const override { return memory_.StreamLabels(stream); }
  TenantId StreamTenant(StreamOrdinal stream) const override { return memory_.StreamTenant(stream); }
  Status Append(const AppendBatch& batch, std::string_view record) override {
    budget_at_append_ = memory_.ingest_budget()->used_bytes();
    if (!options_.remember) {
      records_.assign(1, std::string(record));
      return Status::Ok();
    }
    appended_ += Describe(batch);
    records_.emplace_back(record);
    return options_.store ? memory_.Append(batch, record) : Status::Ok();
  }
  void Forget() {
    appended_.clear();
    records_.clear();
  }
  void SetAppendObserver(AppendObserver* observer) override { memory_.SetAppendObserver(observer); }
  Status Flush() override { return memory_.Flush(); }
  Result<std::unique_ptr<const LogSnapshot>> SnapshotLogs(TenantId tenant,
                                                          const std::vector<Matcher>& matchers,
                                                          TimeRange range) const override {
    return memory_.SnapshotLogs(tenant, matchers, range);
  }
  Result<std::vector<const Labels*>> SelectStreams(TenantId tenant, const std::vector<Matcher>& matchers,
                                                   TimeRange range) const override {
    return memory_.SelectStreams(tenant, matchers, range);
  }
  std::optional<uint64_t> DataGeneration(TimeRange range) const override {
    return memory_.DataGeneration(range);
  }
  Result<DeleteRequest> AddDelete(std::string_view tenant, std::string_view query, int64_t start_ns,
                                  int64_t end_ns) override {
    return memory_.AddDelete(tenant, query, start_ns, end_ns);
  }
  std::vector<DeleteRequest> ListDeletes(std::string_view tenant) const override {
    return memory_.ListDeletes(tenant);
  }
  Status CancelDelete(std::string_view tenant, std::string_view id, bool force) override {
    return memory_.CancelDelete(tenant, id, force);
  }
  uint64_t DeleteGeneration(std::string_view tenant) const override {
    return memory_.DeleteGeneration(tenant);
  }
  Status Compact() override { return memory_.Compact(); }
  Status Checkpoint(const std::string& directory) override { return memory_.Checkpoint(directory); }
  MemoryBudget* ingest_budget() override { return memory_.ingest_budget(); }
  MetricStore& metrics() override { return memory_.metrics(); }
  RecordStore& records() override { return memory_.records(); }
  MemoryBudget* query_budget() override { return memory_.query_budget(); }
  ThreadPool* query_pool() override { return memory_.query_pool(); }
  const EngineOptions& options() const override { return memory_.options(); }
  EngineStats Stats() const override { return memory_.Stats(); }
  Status Close() override { return memory_.Close(); }

  // A line for each entry: {labels} ns "line" name=value…
  std::string Describe(const AppendBatch& batch) const {
    std::string text;
    for (const auto& stream : batch.streams) {
      for (uint32_t i = stream.begin; i < stream.begin + stream.count; ++i) {
        const LogEntryView& entry = batch.entries[i];
        text += StreamLabels(stream.stream).ToString() + " " + std::to_string(entry.ts_ns) + " " +
                GoQuoted(entry.line);
        EXPECT_TRUE(ForEachMetadata(entry.metadata, [&](std::string_view name, std::string_view value) {
          text += " " + std::string(name) + "=" + std::string(value);
        }));
        text += "\n";
      }
    }
    return text;
  }

  const std::string& appended() const { return appended_; }
  const std::vector<std::string>& journal_records() const { return records_; }
  int64_t budget_at_append() const { return budget_at_append_; }
  MemoryEngine& memory() { return memory_; }

 private:
  static MemoryEngineOptions MemoryOptions(const RecordingEngineOptions& options, const Clock* clock) {
    MemoryEngineOptions result;
    result.ingest_budget_bytes = options.ingest_budget_bytes;
    result.engine.retention_ns = options.retention_ns;
    result.engine.retention = options.retention;
    result.engine.clock = clock;
    return result;
  }

  const RecordingEngineOptions options_;
  FixedClock clock_;
  MemoryEngine memory_;
  std::string appended_;
  std::vector<std::string> records_;
  int64_t budget_at_append_ = 0;
};

}  // namespace varve::testing
