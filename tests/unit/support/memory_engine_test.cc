#include "tests/support/memory_engine.h"

#include <gtest/gtest.h>

namespace varve::testing {
namespace {

Labels Stream(const char* job) { return Labels::FromUnsorted({{"job", job}}); }

TEST(MemoryEngine, ShowsSortedUniqueRowsAndListsOverlapsOfOlderSegments) {
  MemoryEngine engine;
  engine.Add(Stream("a"), 20, "two");
  engine.Add(Stream("a"), 10, "one");
  engine.Add(Stream("a"), 10, "one");
  engine.Seal();
  engine.Add(Stream("a"), 20, "two");
  engine.Add(Stream("a"), 30, "three");
  engine.Add(Stream("b"), 5, "other");

  auto snapshot = engine.SnapshotLogs(*engine.FindTenant("fake"), {}, {0, 100});
  ASSERT_TRUE(snapshot.ok());
  ASSERT_EQ((*snapshot)->streams().size(), 2u);
  const auto& slices = (*snapshot)->slices();
  ASSERT_EQ(slices.size(), 3u);
  EXPECT_TRUE(slices[0].older_overlapping.empty());
  EXPECT_EQ(slices[1].older_overlapping, std::vector<uint32_t>{0});
  auto columns = (*snapshot)->Load(slices[0].source, kTimestamps | kLines, engine.query_budget());
  ASSERT_TRUE(columns.ok());
  EXPECT_EQ((*columns)->timestamps_ns, (std::vector<int64_t>{10, 20}));
  EXPECT_EQ((*columns)->Line(1), "two");
  EXPECT_GT(engine.query_budget()->used_bytes(), 0);
}

TEST(MemoryEngine, LeavesOutStreamsWithoutEntriesInRange) {
  MemoryEngine engine;
  engine.Add(Stream("a"), 10, "x");
  engine.Add(Stream("b"), 50, "y");
  const auto found = engine.SelectStreams(*engine.FindTenant("fake"), {}, {0, 50});
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ((*found)[0]->Get("job"), "a");
}

}  // namespace
}  // namespace varve::testing
