#include "tools/seen_entries.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

const LabelPairs kApp = {{"app", "x"}};

TEST(SeenEntries, TellsEntriesApartByTimeLabelsAndLine) {
  SeenEntries seen;
  EXPECT_TRUE(seen.Add(kApp, 10, "line"));
  EXPECT_FALSE(seen.Add(kApp, 10, "line"));
  EXPECT_TRUE(seen.Add(kApp, 11, "line"));
  EXPECT_TRUE(seen.Add(kApp, 10, "other"));
  EXPECT_TRUE(seen.Add({{"app", "y"}}, 10, "line"));
}

TEST(SeenEntries, AsksAgainForTheLastHalfMinuteButNotForWhatTheHistoryCutOff) {
  SeenEntries seen;
  seen.SetFloor(-5);
  EXPECT_TRUE(seen.empty());
  EXPECT_EQ(seen.resume_ns(), -5);
  const int64_t base = 1'000 * kNsPerSecond;
  seen.SetFloor(base);
  seen.Add(kApp, base + kNsPerSecond, "a");
  EXPECT_EQ(seen.resume_ns(), base);
  seen.Add(kApp, base + 100 * kNsPerSecond, "b");
  EXPECT_EQ(seen.resume_ns(), base + 70 * kNsPerSecond);
}

TEST(SeenEntries, RemembersEverythingItMayBeAskedFor) {
  SeenEntries seen;
  for (int64_t second = 0; second < 100; ++second) seen.Add(kApp, second * kNsPerSecond, "line");
  for (int64_t ns = seen.resume_ns(); ns < 100 * kNsPerSecond; ns += kNsPerSecond) {
    EXPECT_FALSE(seen.Add(kApp, ns, "line")) << ns;
  }
}

TEST(SeenEntries, ForgetsTheOldestBeyondItsBoundAndAsksForLess) {
  SeenEntries seen;
  const auto count = static_cast<int64_t>(SeenEntries::kEntriesMax);
  for (int64_t ns = 0; ns < count + 100; ++ns) seen.Add(kApp, ns, "line");
  EXPECT_EQ(seen.resume_ns(), 100);
  EXPECT_FALSE(seen.Add(kApp, 100, "line"));
}

}  // namespace
}  // namespace varve
