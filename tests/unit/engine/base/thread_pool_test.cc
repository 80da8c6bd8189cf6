#include "engine/base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>

namespace varve {
namespace {

TEST(ThreadPool, RunsEveryIndexOnce) {
  ThreadPool pool("test", 3);
  std::vector<std::atomic<int>> seen(1000);
  pool.ParallelFor(seen.size(), [&](size_t i) { seen[i].fetch_add(1); });
  for (const auto& count : seen) EXPECT_EQ(count.load(), 1);
}

TEST(ThreadPool, ParallelForInsideAPoolThreadFinishes) {
  ThreadPool pool("test", 1);
  std::atomic<int> total{0};
  pool.ParallelFor(4, [&](size_t) { pool.ParallelFor(8, [&](size_t) { total.fetch_add(1); }); });
  EXPECT_EQ(total.load(), 32);
}

TEST(ThreadPool, DestructionRunsWhatIsQueued) {
  std::atomic<int> ran{0};
  {
    ThreadPool pool("test", 2);
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(pool.TrySubmit([&] { ran.fetch_add(1); }));
  }
  EXPECT_EQ(ran.load(), 100);
}

}  // namespace
}  // namespace varve
