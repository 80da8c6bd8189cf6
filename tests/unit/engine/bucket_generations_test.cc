#include "engine/bucket_generations.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <vector>

namespace varve {
namespace {

constexpr int64_t kFineNs = int64_t{1} << BucketGenerations::kFineShift;
constexpr int64_t kCoarseNs = int64_t{1} << BucketGenerations::kCoarseShift;
constexpr int64_t kNoon = 1'795'000'000'000'000'000;

struct Entry {
  int64_t ts_ns;
};

TEST(BucketGenerations, ABumpShowsInEveryRangeThatTouchesIt) {
  BucketGenerations generations;
  const TimeRange around{kNoon - 5 * kCoarseNs, kNoon + 5 * kCoarseNs};
  const TimeRange instant{kNoon, kNoon + 1};
  const uint64_t around_before = generations.Read(around);
  const uint64_t instant_before = generations.Read(instant);
  generations.Bump(instant);
  EXPECT_NE(generations.Read(around), around_before);
  EXPECT_NE(generations.Read(instant), instant_before);
}

TEST(BucketGenerations, ABumpDoesNotShowInOtherBuckets) {
  BucketGenerations generations;
  const TimeRange before{kNoon - kCoarseNs * 4, kNoon - kFineNs};
  const TimeRange behind{kNoon + kFineNs, kNoon + kCoarseNs * 4};
  generations.Bump({kNoon, kNoon + 1});
  EXPECT_EQ(generations.Read(before), 0u);
  EXPECT_EQ(generations.Read(behind), 0u);
}

TEST(BucketGenerations, EmptyRangesChangeAndReadNothing) {
  BucketGenerations generations;
  generations.Bump({kNoon, kNoon});
  generations.Bump({kNoon, kNoon - 1});
  EXPECT_EQ(generations.Read({}), 0u);
  generations.Bump({});
  EXPECT_EQ(generations.Read({kNoon, kNoon}), 0u);
}

TEST(BucketGenerations, AllOfTimeCanBeBumpedAndRead) {
  BucketGenerations generations;
  const uint64_t before = generations.Read({});
  generations.BumpEntries(std::vector<Entry>{{std::numeric_limits<int64_t>::min()}});
  const uint64_t lowest = generations.Read({});
  EXPECT_NE(lowest, before);
  generations.BumpEntries(std::vector<Entry>{{std::numeric_limits<int64_t>::max() - 1}});
  EXPECT_NE(generations.Read({}), lowest);
  for (const int64_t t : {std::numeric_limits<int64_t>::min(), int64_t{-1}, int64_t{0}, kNoon}) {
    const uint64_t instant = generations.Read({t, t + 1});
    generations.Bump({});
    EXPECT_NE(generations.Read({t, t + 1}), instant) << t;
  }
}

// Against a list of bumps: a range that one of them touches reads differently.
TEST(BucketGenerations, RandomBumpsAreNeverMissed) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  BucketGenerations generations;
  const auto time = [&](int64_t spread) {
    return kNoon + static_cast<int64_t>(random() % static_cast<uint64_t>(2 * spread)) - spread;
  };
  for (int round = 0; round < 20'000; ++round) {
    const int64_t spread = random() % 4 == 0 ? 3000 * kCoarseNs : 3 * kCoarseNs;
    TimeRange range{time(spread), time(spread)};
    if (range.end_ns < range.begin_ns) std::swap(range.begin_ns, range.end_ns);
    const uint64_t before = generations.Read(range);
    const int64_t bumped = time(spread);
    if (random() % 2 == 0) {
      generations.BumpEntries(std::vector<Entry>{{bumped}, {bumped}});
    } else {
      generations.Bump({bumped, bumped + static_cast<int64_t>(random() % (2 * kFineNs)) + 1});
    }
    if (range.Contains(bumped)) {
      ASSERT_NE(generations.Read(range), before) << range.begin_ns << " " << range.end_ns << " " << bumped;
    }
  }
}

// What the number is for: one thread shows rows, bumps, acknowledges; another keeps what it saw under the
// number it read before. Whoever finds the number unchanged after an acknowledgement must have seen that row.
TEST(BucketGenerations, AnAnswerWithAnUnchangedNumberHoldsEveryAcknowledgedRow) {
  constexpr uint64_t kRows = 200'000;
  BucketGenerations generations;
  const TimeRange range{kNoon - 3 * kCoarseNs, kNoon + 3 * kCoarseNs};
  std::atomic<uint64_t> visible{0};
  std::atomic<uint64_t> acknowledged{0};
  std::thread writer([&] {
    for (uint64_t row = 1; row <= kRows; ++row) {
      visible.store(row, std::memory_order_relaxed);
      const int64_t at = kNoon + static_cast<int64_t>(row % 100) * kFineNs - 50 * kFineNs;
      generations.BumpEntries(std::vector<Entry>{{at}});
      acknowledged.store(row, std::memory_order_release);
    }
  });
  uint64_t checked = 0;
  while (acknowledged.load(std::memory_order_acquire) < kRows) {
    const uint64_t number = generations.Read(range);
    const uint64_t seen = visible.load(std::memory_order_relaxed);
    const uint64_t promised = acknowledged.load(std::memory_order_acquire);
    if (generations.Read(range) != number) continue;
    ++checked;
    if (seen < promised) {
      ADD_FAILURE() << "row " << promised << " acknowledged, " << seen << " seen";
      break;
    }
  }
  writer.join();
  EXPECT_EQ(visible.load(), kRows);
  RecordProperty("unchanged_numbers", static_cast<int>(checked));
}

}  // namespace
}  // namespace varve
