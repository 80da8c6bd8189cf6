#include "ingest/series_alias_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

namespace varve {
namespace {

TEST(SeriesAliasTable, FindsWhatWasInsertedUnderTheSameScopeAlone) {
  SeriesAliasTable table;
  const auto a = table.MakeScope("a", "x");
  const auto b = table.MakeScope("b", "x");
  const auto c = table.MakeScope("a", "y");
  table.Insert(table.MakeKey(a, "labels"), 7);
  const auto pin = table.MakePin();
  EXPECT_EQ(pin.Find(table.MakeKey(a, "labels")), 7u);
  EXPECT_EQ(pin.Find(table.MakeKey(a, "label")), std::nullopt);
  EXPECT_EQ(pin.Find(table.MakeKey(b, "labels")), std::nullopt);
  EXPECT_EQ(pin.Find(table.MakeKey(c, "labels")), std::nullopt);
}

TEST(SeriesAliasTable, KeepsAllWhileItGrows) {
  SeriesAliasTable table;
  const auto scope = table.MakeScope("t", "");
  constexpr uint32_t kSeries = 20'000;
  for (uint32_t i = 0; i < kSeries; ++i) table.Insert(table.MakeKey(scope, std::to_string(i)), i);
  EXPECT_EQ(table.size(), kSeries);
  const auto pin = table.MakePin();
  for (uint32_t i = 0; i < kSeries; ++i) EXPECT_EQ(pin.Find(table.MakeKey(scope, std::to_string(i))), i);
}

TEST(SeriesAliasTable, StartsAgainWhenItIsFull) {
  SeriesAliasTable table(10);
  const auto scope = table.MakeScope("t", "");
  for (uint32_t i = 0; i < 1000; ++i) {
    const auto key = table.MakeKey(scope, std::to_string(i));
    table.Insert(key, i);
    EXPECT_LE(table.size(), 10u);
    EXPECT_EQ(table.MakePin().Find(key), i);
  }
}

TEST(SeriesAliasTable, InsertingAnAliasAgainChangesNothing) {
  SeriesAliasTable table;
  const auto key = table.MakeKey(table.MakeScope("t", ""), "x");
  table.Insert(key, 1);
  table.Insert(key, 1);
  EXPECT_EQ(table.size(), 1u);
}

TEST(SeriesAliasTable, ReadersSeeWholeEntriesWhileOthersInsert) {
  SeriesAliasTable table;
  const auto scope = table.MakeScope("t", "");
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (uint32_t i = 0; i < 50'000; ++i) table.Insert(table.MakeKey(scope, std::to_string(i)), i);
    done = true;
  });
  uint32_t i = 0;
  while (!done) {
    const auto found = table.MakePin().Find(table.MakeKey(scope, std::to_string(i % 50'000)));
    EXPECT_EQ(found.value_or(i % 50'000), i % 50'000);
    ++i;
  }
  writer.join();
}

}  // namespace
}  // namespace varve
