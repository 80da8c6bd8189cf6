// An engine over stores in memory that outlive it, for tests of its metrics.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>

#include "tests/support/engine_client.h"
#include "tests/support/memory_stores.h"
#include "tests/support/metric_client.h"
#include "tests/support/status_matchers.h"

namespace varve {

class FixedClock final : public Clock {
 public:
  int64_t NowNs() const override { return now_ns.load(std::memory_order_relaxed); }
  std::atomic<int64_t> now_ns{1'700'000'000'000'000'000};
};

class MetricStoreFixture : public testing::Test {
 protected:
  static constexpr int64_t kDayMs = 24LL * 3600 * 1000;

  MetricStoreFixture() {
    options_.data_dir = "/";
    options_.memory_budget_bytes = 64 << 20;
    options_.shard_count = 2;
    options_.encode_threads = 1;
    options_.query_threads = 2;
    options_.disk_full_fraction = 1.0;
    options_.append_wait_ms_max = 1;
    options_.clock = &clock_;
  }
  // Opens the engine, first destroying the one before: a crash.
  void Open() {
    engine_.reset();
    auto stores = MakeMemoryStores(disk_, [this](std::string_view step) {
      const char* failing = failing_step_.load();
      return failing != nullptr && step == failing ? IoError("injected") : Status::Ok();
    });
    Result<std::unique_ptr<Engine>> engine = OpenWith(options_, std::move(stores));
    ASSERT_OK(engine);
    engine_ = std::move(engine).value();
    ASSERT_OK(engine_->Recover(TestReplay(engine_.get())));
  }
  MetricClient Client(const std::string& tenant = "t") {
    return MetricClient(&engine_->metrics(), *engine_->InternTenant(tenant), tenant);
  }
  SampleVerdict Push(const PackedLabels& labels, int64_t ts_ms, double value) {
    const Result<MetricVerdicts> verdicts = Client().Push(labels, ts_ms, value);
    EXPECT_OK(verdicts);
    return verdicts.ok() ? OnlyVerdict(*verdicts) : SampleVerdict::kTooOld;
  }
  TestMetricContents All(MetricRange range = {}) {
    const Result<TestMetricContents> contents = Client().ReadAll({}, range);
    EXPECT_OK(contents);
    return contents.ok() ? *contents : TestMetricContents();
  }
  size_t JournalRecords() {
    const MutexLock lock(disk_.journal->mu);
    return disk_.journal->records.size();
  }

  FixedClock clock_;
  EngineOptions options_;
  MemoryDisk disk_;
  std::atomic<const char*> failing_step_{nullptr};
  std::unique_ptr<Engine> engine_;
  const PackedLabels up_ = MetricLabelsOf({{"__name__", "up"}, {"job", "a"}, {"instance", "i"}});
  const PackedLabels load_ = MetricLabelsOf({{"__name__", "load"}, {"job", "a"}, {"instance", "i"}});
  const int64_t now_ms_ = clock_.now_ns / 1'000'000;
};

}  // namespace varve
