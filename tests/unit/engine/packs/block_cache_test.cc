#include "engine/packs/block_cache.h"

#include <gtest/gtest.h>

#include <thread>

namespace varve {
namespace {

std::shared_ptr<const LogColumns> ColumnsOf(size_t bytes) {
  auto columns = std::make_shared<LogColumns>();
  columns->lines.resize(bytes - sizeof(LogColumns));
  return columns;
}

TEST(BlockCache, FindsAValueThatHasAtLeastTheColumnsAskedFor) {
  MemoryBudget budget("cache", 1 << 20);
  BlockCache cache(&budget, 1);
  EXPECT_EQ(cache.Find(1, 2, kTimestamps), nullptr);
  const auto value = ColumnsOf(1000);
  EXPECT_TRUE(cache.Insert(1, 2, kTimestamps | kLines, value));
  EXPECT_EQ(cache.Find(1, 2, kTimestamps), value);
  EXPECT_EQ(cache.Find(1, 2, kLengths), value);  // lines imply lengths
  EXPECT_EQ(cache.Find(1, 2, kMetadata), nullptr);
  EXPECT_EQ(cache.Find(1, 3, kTimestamps), nullptr);
  EXPECT_EQ(cache.Find(2, 2, kTimestamps), nullptr);
  EXPECT_EQ(cache.hits(), 2u);
  EXPECT_EQ(cache.misses(), 4u);
}

TEST(BlockCache, KeepsTheWiderOfTwoValuesOfABlock) {
  MemoryBudget budget("cache", 1 << 20);
  BlockCache cache(&budget, 1);
  const auto narrow = ColumnsOf(1000);
  const auto wide = ColumnsOf(3000);
  EXPECT_TRUE(cache.Insert(1, 1, kTimestamps, narrow));
  EXPECT_TRUE(cache.Insert(1, 1, kTimestamps | kLines, wide));
  EXPECT_EQ(cache.Find(1, 1, kTimestamps), wide);
  EXPECT_EQ(cache.used_bytes(), 3000);
  EXPECT_FALSE(cache.Insert(1, 1, kTimestamps, narrow));
  EXPECT_TRUE(cache.Insert(1, 1, kMetadata, narrow));  // neither has the other's
  EXPECT_EQ(cache.Find(1, 1, kMetadata), narrow);
  EXPECT_EQ(cache.used_bytes(), 4000);
}

TEST(BlockCache, StaysWithinItsBudgetAndGivesItBack) {
  MemoryBudget budget("cache", 100'000);
  {
    BlockCache cache(&budget, 2);
    for (uint64_t pack = 0; pack < 1000; ++pack) {
      cache.Insert(pack, 0, kLines, ColumnsOf(3000));
      ASSERT_LE(budget.used_bytes(), 100'000);
      ASSERT_EQ(budget.used_bytes(), cache.used_bytes());
    }
    EXPECT_GT(cache.used_bytes(), 80'000);
  }
  EXPECT_EQ(budget.used_bytes(), 0);
}

TEST(BlockCache, EvictsWhenAnAncestorOfItsBudgetIsFull) {
  MemoryBudget total("total", 5000);
  MemoryBudget budget("cache", 100'000, &total);
  BlockCache cache(&budget, 1);
  for (uint64_t pack = 0; pack < 10; ++pack) EXPECT_TRUE(cache.Insert(pack, 0, kLines, ColumnsOf(2000)));
  EXPECT_EQ(cache.used_bytes(), 4000);
  total.ForceReserve(5000);
  EXPECT_FALSE(cache.Insert(99, 0, kLines, ColumnsOf(2000)));
  EXPECT_EQ(cache.used_bytes(), 0);
  total.Release(5000);
}

TEST(BlockCache, AScanDoesNotPushOutWhatWasAskedForTwiceNorSmallColumns) {
  MemoryBudget budget("cache", 100'000);
  BlockCache cache(&budget, 1);
  cache.Insert(1, 0, kLines, ColumnsOf(10'000));
  ASSERT_NE(cache.Find(1, 0, kLines), nullptr);
  cache.Insert(2, 0, kTimestamps, ColumnsOf(5000));
  for (uint64_t pack = 100; pack < 200; ++pack) cache.Insert(pack, 0, kLines, ColumnsOf(10'000));
  EXPECT_NE(cache.Find(1, 0, kLines), nullptr);
  EXPECT_NE(cache.Find(2, 0, kTimestamps), nullptr);
  EXPECT_EQ(cache.Find(100, 0, kLines), nullptr);
  EXPECT_NE(cache.Find(199, 0, kLines), nullptr);
}

TEST(BlockCache, LetsWhatIsNoLongerAskedForGoInTheEnd) {
  MemoryBudget budget("cache", 100'000);
  BlockCache cache(&budget, 1);
  cache.Insert(1, 0, kLines, ColumnsOf(10'000));
  ASSERT_NE(cache.Find(1, 0, kLines), nullptr);
  for (uint64_t pack = 100; pack < 200; ++pack) {
    cache.Insert(pack, 0, kLines, ColumnsOf(10'000));
    cache.Find(pack, 0, kLines);
  }
  EXPECT_EQ(cache.Find(1, 0, kLines), nullptr);
}

TEST(BlockCache, DoesNotKeepAValueThatWouldTakeTooLargeAShare) {
  MemoryBudget budget("cache", 100'000);
  BlockCache cache(&budget, 1);
  EXPECT_FALSE(cache.Insert(1, 0, kLines, ColumnsOf(20'000)));
  EXPECT_EQ(cache.used_bytes(), 0);
}

TEST(BlockCache, KeepsBlocksOfTheUsualSizeWhateverItsOwnSize) {
  for (const int64_t cache_bytes : {16 << 20, 64 << 20, 128 << 20, 512 << 20}) {
    MemoryBudget budget("cache", cache_bytes);
    BlockCache cache(&budget);
    EXPECT_TRUE(cache.Insert(1, 0, kTimestamps | kLines | kMetadata, ColumnsOf(1'900'000))) << cache_bytes;
  }
}

TEST(BlockCache, AnEvictedValueLivesOnWithItsReader) {
  MemoryBudget budget("cache", 100'000);
  BlockCache cache(&budget, 1);
  cache.Insert(1, 0, kLines, ColumnsOf(10'000));
  const auto held = cache.Find(1, 0, kLines);
  cache.ErasePack(1);
  EXPECT_EQ(cache.Find(1, 0, kLines), nullptr);
  EXPECT_EQ(cache.used_bytes(), 0);
  EXPECT_EQ(held->lines.size(), 10'000 - sizeof(LogColumns));
}

TEST(BlockCache, ErasesOnePackOnly) {
  MemoryBudget budget("cache", 1 << 20);
  BlockCache cache(&budget, 4);
  for (uint32_t block = 0; block < 10; ++block) {
    cache.Insert(1, block, kTimestamps, ColumnsOf(1000));
    cache.Insert(2, block, kLines, ColumnsOf(1000));
  }
  cache.ErasePack(1);
  EXPECT_EQ(cache.used_bytes(), 10'000);
  EXPECT_EQ(cache.Find(1, 3, kTimestamps), nullptr);
  EXPECT_NE(cache.Find(2, 3, kLines), nullptr);
}

TEST(BlockCache, ServesSeveralThreadsAtOnce) {
  MemoryBudget budget("cache", 200'000);
  {
    BlockCache cache(&budget, 4);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&cache, t] {
        for (uint32_t i = 0; i < 2000; ++i) {
          const uint32_t block = (i * 7 + static_cast<uint32_t>(t)) % 100;
          if (cache.Find(1, block, kLines) == nullptr) {
            cache.Insert(1, block, kLines, ColumnsOf(1000 + block));
          }
          if (i % 500 == 0) cache.ErasePack(1);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(cache.used_bytes(), budget.used_bytes());
    EXPECT_EQ(cache.hits() + cache.misses(), 8000u);
  }
  EXPECT_EQ(budget.used_bytes(), 0);
}

}  // namespace
}  // namespace varve
