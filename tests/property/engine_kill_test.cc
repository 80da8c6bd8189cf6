// A real process is killed at each kill point of the write path, at several passages, again and again
// over one directory; afterwards everything acknowledged is there exactly once.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <sstream>

#include "tests/support/engine_client.h"
#include "tests/support/memory_stores.h"
#include "tests/support/metric_client.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace varve {
namespace {

struct RunResult {
  int exit_code = 0;
  std::set<int> tried;
  std::set<int> acked;
  bool retention = false;
};

RunResult RunWorker(const std::string& dir, const std::string& kill_point, int first, int count,
                    bool retention, bool metrics = false) {
  std::string command = kill_point.empty() ? "" : "VARVE_KILL_POINT=" + kill_point + " ";
  if (retention) command += "VARVE_TEST_RETENTION=1 ";
  if (metrics) command += "VARVE_TEST_METRICS=1 ";
  command +=
      std::string(VARVE_CRASH_WORKER) + " " + dir + " " + std::to_string(first) + " " + std::to_string(count);
  RunResult result;
  FILE* pipe = popen(command.c_str(), "r");
  char word[32];
  int number = 0;
  while (std::fscanf(pipe, "%31s", word) == 1) {
    if (std::string(word) == "retention") {
      result.retention = true;
    } else if (std::fscanf(pipe, "%d", &number) == 1) {
      (std::string(word) == "acked" ? result.acked : result.tried).insert(number);
    }
  }
  result.exit_code = WEXITSTATUS(pclose(pipe));
  return result;
}

// Each push puts its entry into four streams; it must be in all of them or in none.
void CheckDirectory(const std::string& dir, const std::set<int>& tried, const std::set<int>& acked) {
  EngineOptions options;
  options.data_dir = dir;
  options.memory_budget_bytes = 64 << 20;
  Result<std::unique_ptr<Engine>> engine = Engine::Open(options);
  ASSERT_OK(engine);
  ASSERT_OK((*engine)->Recover(TestReplay(engine->get())));
  const Result<TestContents> contents = EngineClient(engine->get()).ReadAll();
  ASSERT_OK(contents);
  std::map<int, int> copies;
  uint64_t rows = 0;
  for (const auto& [stream, entries] : *contents) {
    for (const TestEntry& entry : entries) {
      ++copies[std::atoi(std::get<1>(entry).c_str() + 6)];
      ++rows;
    }
  }
  const EngineStats stats = (*engine)->Stats();
  EXPECT_EQ(stats.head_entries + stats.pack_entries, rows);
  for (const auto& [number, count] : copies) {
    EXPECT_TRUE(tried.contains(number)) << number;
    EXPECT_EQ(count, 4) << number;
  }
  for (const int number : acked) EXPECT_TRUE(copies.contains(number)) << "lost " << number;
}

// The same for samples: each push puts one into four series.
void CheckSamples(const std::string& dir, const std::set<int>& tried, const std::set<int>& acked) {
  EngineOptions options;
  options.data_dir = dir;
  options.memory_budget_bytes = 64 << 20;
  Result<std::unique_ptr<Engine>> engine = Engine::Open(options);
  ASSERT_OK(engine);
  ASSERT_OK((*engine)->Recover(TestReplay(engine->get())));
  const Result<TenantId> tenant = (*engine)->InternTenant("t");
  ASSERT_OK(tenant);
  const Result<TestMetricContents> contents = MetricClient(&(*engine)->metrics(), *tenant).ReadAll();
  ASSERT_OK(contents);
  std::map<int, int> copies;
  uint64_t samples = 0;
  for (const auto& [series, by_time] : *contents) {
    samples += by_time.size();
    for (const auto& [ts_ms, value] : by_time) ++copies[static_cast<int>((ts_ms - 1'700'000'000'000) / 18'000'000)];
  }
  const MetricStoreStats stats = (*engine)->metrics().Stats();
  EXPECT_EQ(stats.head_samples + stats.pack_samples, samples) << "some are there twice";
  for (const auto& [number, count] : copies) {
    EXPECT_TRUE(tried.contains(number)) << number;
    EXPECT_EQ(count, 4) << number;
  }
  for (const int number : acked) EXPECT_TRUE(copies.contains(number)) << "lost " << number;
}

class EngineKill : public testing::TestWithParam<const char*> {};

TEST_P(EngineKill, LosesNothingAcknowledgedAndDoublesNothing) {
  const TempDir dir;
  std::set<int> tried;
  std::set<int> acked;
  int kills = 0;
  int next = 0;
  for (const int passage : {1, 2, 3, 5, 8, 13, 1}) {
    const RunResult run = RunWorker(dir.path(), std::string(GetParam()) + ":" + std::to_string(passage), next,
                                    25, /*retention=*/false);
    tried.insert(run.tried.begin(), run.tried.end());
    acked.insert(run.acked.begin(), run.acked.end());
    ASSERT_TRUE(run.exit_code == 137 || run.exit_code == 0) << run.exit_code;
    if (run.exit_code == 137) ++kills;
    if (!run.tried.empty()) next = *run.tried.rbegin() + 1;
    CheckDirectory(dir.path(), tried, acked);
    if (HasFailure()) return;
  }
  EXPECT_GE(kills, 4) << "the kill point is hardly ever passed";
}

INSTANTIATE_TEST_SUITE_P(Points, EngineKill,
                         testing::Values("after_journal_write", "after_cut", "pack_written_before_ingest",
                                         "after_pack_write", "after_all_packs", "before_commit",
                                         "after_commit", "after_compaction_pack", "before_compaction_commit",
                                         "after_compaction_commit"),
                         [](const auto& point) { return std::string(point.param); });

class EngineKillMetrics : public testing::TestWithParam<const char*> {};

TEST_P(EngineKillMetrics, LosesNoSampleAcknowledgedAndDoublesNone) {
  const TempDir dir;
  std::set<int> tried;
  std::set<int> acked;
  int kills = 0;
  int next = 0;
  for (const int passage : {1, 2, 3, 5, 1}) {
    const RunResult run = RunWorker(dir.path(), std::string(GetParam()) + ":" + std::to_string(passage), next, 25,
                                    /*retention=*/false, /*metrics=*/true);
    tried.insert(run.tried.begin(), run.tried.end());
    acked.insert(run.acked.begin(), run.acked.end());
    ASSERT_TRUE(run.exit_code == 137 || run.exit_code == 0) << run.exit_code;
    if (run.exit_code == 137) ++kills;
    if (!run.tried.empty()) next = *run.tried.rbegin() + 1;
    CheckSamples(dir.path(), tried, acked);
    if (HasFailure()) return;
  }
  EXPECT_GE(kills, 4) << "the kill point is hardly ever passed";
}

INSTANTIATE_TEST_SUITE_P(Points, EngineKillMetrics,
                         testing::Values("after_metric_journal_write", "after_metric_cut", "after_metric_pack_write",
                                         "after_all_metric_packs", "before_commit", "after_commit",
                                         "after_metric_compaction_pack", "before_metric_compaction_commit",
                                         "after_metric_compaction_commit"),
                         [](const auto& point) { return std::string(point.param); });

TEST(EngineKillRetention, ForgetsExpiredPacksWhollyWhenKilledBetweenCommitAndDeletion) {
  const TempDir dir;
  const RunResult run = RunWorker(dir.path(), "after_retention_commit:1", 0, 20, /*retention=*/true);
  EXPECT_EQ(run.exit_code, 137);
  EXPECT_TRUE(run.retention);
  EngineOptions options;
  options.data_dir = dir.path();
  options.memory_budget_bytes = 64 << 20;
  Result<std::unique_ptr<Engine>> engine = Engine::Open(options);
  ASSERT_OK(engine);
  ASSERT_OK((*engine)->Recover(TestReplay(engine->get())));
  EXPECT_EQ((*engine)->Stats().packs, 0u);
  const Result<TestContents> contents = EngineClient(engine->get()).ReadAll();
  ASSERT_OK(contents);
  EXPECT_TRUE(contents->empty());
}

}  // namespace
}  // namespace varve
