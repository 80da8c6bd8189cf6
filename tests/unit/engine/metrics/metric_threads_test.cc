// Appends, reads, cuts and compactions of metrics side by side; run it under the thread sanitizer.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/unit/engine/metrics/metric_store_fixture.h"

namespace varve {
namespace {

class MetricThreadsTest : public MetricStoreFixture {};

TEST_F(MetricThreadsTest, WritersReadersCutsAndCompactionsGetAlong) {
  constexpr int kWriters = 3;
  constexpr int64_t kRounds = 60;
  options_.compaction_interval_ms = 1;
  Open();
  ASSERT_FALSE(HasFatalFailure());
  std::vector<PackedLabels> series;
  for (int i = 0; i < kWriters * 4; ++i) {
    const std::string number = std::to_string(i);
    const std::string job = i % 2 == 0 ? "a" : "b";
    series.push_back(MetricLabelsOf({{"__name__", "m"}, {"job", job}, {"number", number}}));
  }
  std::atomic<int> writing{kWriters};
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      for (int64_t round = 0; round < kRounds; ++round) {
        // Neighbouring rounds in the wrong order, now and then.
        const int64_t ts_ms = now_ms_ + 1000 * (round % 8 < 2 ? round ^ 1 : round);
        for (int k = 0; k < 4; ++k) {
          EXPECT_OK(Client().Push(series[static_cast<size_t>(writer * 4 + k)], ts_ms, static_cast<double>(round)));
        }
      }
      writing.fetch_sub(1);
    });
  }
  for (int reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&] {
      size_t seen = 0;
      while (writing.load() != 0) {
        size_t samples = 0;
        for (const auto& [name, column] : All()) samples += column.size();
        EXPECT_GE(samples, seen);
        seen = samples;
      }
    });
  }
  threads.emplace_back([&] {
    while (writing.load() != 0) {
      EXPECT_OK(engine_->Flush());
      EXPECT_OK(engine_->Compact());
    }
  });
  for (std::thread& thread : threads) thread.join();
  const TestMetricContents all = All();
  EXPECT_EQ(all.size(), series.size());
  for (const auto& [name, column] : all) EXPECT_EQ(column.size(), static_cast<size_t>(kRounds)) << name;
}

}  // namespace
}  // namespace varve
