#include "query/exec/result_cache.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

ResultCache::Key KeyOf(const std::string& query, int64_t extent) {
  return {std::make_shared<const std::string>(query), extent};
}

std::shared_ptr<const CachedExtent> Extent(size_t points, double value = 1) {
  auto extent = std::make_shared<CachedExtent>();
  extent->step_count = static_cast<uint32_t>(points);
  Series series;
  series.labels = {{"app", "a"}};
  for (uint32_t i = 0; i < points; ++i) series.points.push_back({i, value});
  extent->series.push_back(std::move(series));
  return extent;
}

TEST(ResultCache, FindsWhatWasInsertedUnderThatQueryAndExtentOnly) {
  ResultCache cache(1 << 20, nullptr);
  ASSERT_TRUE(cache.Insert(KeyOf("q", 1), Extent(3)));
  EXPECT_NE(cache.Find(KeyOf("q", 1)), nullptr);
  EXPECT_EQ(cache.Find(KeyOf("q", 2)), nullptr);
  EXPECT_EQ(cache.Find(KeyOf("other", 1)), nullptr);
}

TEST(ResultCache, TheNewestOfAKeyReplacesTheOld) {
  ResultCache cache(1 << 20, nullptr);
  ASSERT_TRUE(cache.Insert(KeyOf("q", 1), Extent(3, 1)));
  const int64_t bytes = cache.used_bytes();
  ASSERT_TRUE(cache.Insert(KeyOf("q", 1), Extent(3, 2)));
  EXPECT_EQ(cache.Find(KeyOf("q", 1))->series[0].points[0].value, 2);
  EXPECT_EQ(cache.used_bytes(), bytes);
  EXPECT_EQ(cache.size(), 1u);
}

TEST(ResultCache, TheLeastRecentlyUsedMakesRoom) {
  ResultCache cache(64 << 10, nullptr);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(cache.Insert(KeyOf("q", i), Extent(100)));
  int64_t next = 3;
  while (cache.counters().evicted == 0) {
    ASSERT_NE(cache.Find(KeyOf("q", 0)), nullptr);
    ASSERT_TRUE(cache.Insert(KeyOf("q", next++), Extent(100)));
  }
  EXPECT_NE(cache.Find(KeyOf("q", 0)), nullptr);
  EXPECT_EQ(cache.Find(KeyOf("q", 1)), nullptr);
  EXPECT_LE(cache.used_bytes(), cache.limit_bytes());
}

TEST(ResultCache, TakesNothingThatWouldDriveOutMostOfTheRest) {
  ResultCache cache(64 << 10, nullptr);
  EXPECT_FALSE(cache.Insert(KeyOf("q", 0), Extent(10'000)));
  EXPECT_EQ(cache.used_bytes(), 0);
}

TEST(ResultCache, GivesWayWhenTheParentsMemoryIsNeededElsewhere) {
  MemoryBudget parent("queries", 64 << 10);
  {
    ResultCache cache(64 << 10, &parent);
    ASSERT_TRUE(cache.Insert(KeyOf("q", 0), Extent(10)));
    const int64_t rest = parent.limit_bytes() - parent.used_bytes();
    ASSERT_TRUE(parent.Reserve(rest).ok());
    EXPECT_FALSE(cache.Insert(KeyOf("q", 1), Extent(100)));
    EXPECT_EQ(cache.size(), 0u);
    parent.Release(rest);
    EXPECT_TRUE(cache.Insert(KeyOf("q", 1), Extent(100)));
    EXPECT_EQ(parent.used_bytes(), cache.used_bytes());
  }
  EXPECT_EQ(parent.used_bytes(), 0);
}

TEST(ResultCache, AnExtentLivesAsLongAsSomebodyReadsIt) {
  ResultCache cache(1 << 20, nullptr);
  ASSERT_TRUE(cache.Insert(KeyOf("q", 1), Extent(3, 7)));
  const auto held = cache.Find(KeyOf("q", 1));
  ASSERT_TRUE(cache.Insert(KeyOf("q", 1), Extent(3, 8)));
  EXPECT_EQ(held->series[0].points[0].value, 7);
}

}  // namespace
}  // namespace varve
