// What readers see, over stores in memory: consistency while cuts run, duplicates, late data, retention.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/support/engine_client.h"
#include "tests/support/memory_stores.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

class FakeClock final : public Clock {
 public:
  int64_t NowNs() const override { return now_ns.load(std::memory_order_relaxed); }
  std::atomic<int64_t> now_ns{1'700'000'000 * kNsPerSecond};
};

class SnapshotTest : public testing::Test {
 protected:
  SnapshotTest() {
    options_.data_dir = "/";
    options_.memory_budget_bytes = 256 << 20;
    options_.shard_count = 4;
    options_.encode_threads = 2;
    options_.query_threads = 2;
    options_.disk_full_fraction = 1.0;
    options_.cut_bytes = 1 << 30;
    options_.cut_age_ms = int64_t{1} << 40;
    options_.retention_check_interval_ms = int64_t{1} << 40;
    options_.clock = &clock_;
  }
  void Open(StepHook hook = nullptr) {
    Result<std::unique_ptr<Engine>> engine = OpenWith(options_, MakeMemoryStores(disk_, std::move(hook)));
    ASSERT_OK(engine);
    engine_ = std::move(engine).value();
    ASSERT_OK(engine_->Recover(TestReplay(engine_.get())));
  }
  std::unique_ptr<const LogSnapshot> Snapshot(TimeRange range = {}) {
    const Result<TenantId> tenant = engine_->FindTenant("t");
    EXPECT_OK(tenant);
    auto snapshot = engine_->SnapshotLogs(*tenant, {}, range);
    EXPECT_OK(snapshot);
    return std::move(snapshot).value();
  }
  static std::multiset<std::string> Lines(const LogSnapshot& snapshot, MemoryBudget* budget) {
    std::multiset<std::string> lines;
    for (const LogSlice& slice : snapshot.slices()) {
      const auto columns = snapshot.Load(slice.source, kLines, budget);
      EXPECT_OK(columns);
      if (!columns.ok()) continue;
      for (uint32_t row = slice.row_begin; row < std::min(slice.row_end, (*columns)->row_count); ++row) {
        lines.emplace((*columns)->Line(row));
      }
    }
    return lines;
  }

  FakeClock clock_;
  EngineOptions options_;
  MemoryDisk disk_;
  std::unique_ptr<Engine> engine_;
  const Labels labels_ = MakeLabels({{"app", "a"}});
};

TEST_F(SnapshotTest, ReadersSeeEveryAcknowledgedEntryOnceWhileCutsRun) {
  options_.cut_bytes = 1;  // every shard is due as soon as it holds anything
  options_.block_bytes = 4096;
  Open();
  constexpr int kWriters = 2;
  std::atomic<int> pushes{0};
  std::atomic<int> acknowledged[kWriters] = {};
  std::atomic<int> writers_left{kWriters};
  std::vector<std::thread> threads;
  for (int w = 0; w < kWriters; ++w) {
    threads.emplace_back([&, w] {
      EngineClient client(engine_.get());
      // Until there has been enough to see.
      for (int i = 0; i < 50'000 && (i < 400 || engine_->Stats().cuts < 30); ++i) {
        TestPush push;
        for (int s = 0; s < 3; ++s) {
          push.streams.push_back(
              {.labels = MakeLabels({{"w", std::to_string(w)}, {"s", std::to_string((i + s) % 6)}}),
               .entries = {{i, std::to_string(w) + "/" + std::to_string(i), ""}}});
        }
        ASSERT_OK(client.Push(push));
        acknowledged[w].store(i + 1, std::memory_order_release);
        ++pushes;
      }
      --writers_left;
    });
  }
  for (int r = 0; r < 2; ++r) {
    threads.emplace_back([&] {
      bool last_round = false;
      do {
        last_round = writers_left == 0;
        int before[kWriters];
        for (int w = 0; w < kWriters; ++w) before[w] = acknowledged[w].load(std::memory_order_acquire);
        const Result<TestContents> contents = EngineClient(engine_.get()).ReadAll();
        ASSERT_OK(contents);
        std::map<std::string, int> copies;
        for (const auto& [stream, entries] : *contents) {
          for (const TestEntry& entry : entries) ++copies[std::get<1>(entry)];
        }
        for (int w = 0; w < kWriters; ++w) {
          for (int i = 0; i < before[w]; ++i)
            ASSERT_EQ(copies[std::to_string(w) + "/" + std::to_string(i)], 3) << i;
        }
      } while (!last_round);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(engine_->Stats().cuts, 30u);
  ASSERT_OK(engine_->Flush());
  EXPECT_EQ(engine_->Stats().pack_entries, static_cast<uint64_t>(pushes * 3));
}

TEST_F(SnapshotTest, ASnapshotStaysAsItWasWhatEverHappensMeanwhile) {
  Open();
  EngineClient client(engine_.get());
  for (int i = 0; i < 50; ++i) ASSERT_OK(client.Push(labels_, i, "old " + std::to_string(i)));
  const auto snapshot = Snapshot();
  const auto lines = Lines(*snapshot, engine_->query_budget());
  EXPECT_EQ(lines.size(), 50u);
  for (int i = 0; i < 50; ++i) ASSERT_OK(client.Push(labels_, i, "new " + std::to_string(i)));
  EXPECT_EQ(Lines(*snapshot, engine_->query_budget()), lines);
  ASSERT_OK(engine_->Flush());
  EXPECT_EQ(Lines(*snapshot, engine_->query_budget()), lines);
  EXPECT_EQ(Lines(*Snapshot(), engine_->query_budget()).size(), 100u);
}

TEST_F(SnapshotTest, ListsOlderSlicesThatOverlapAcrossCutsAndHeads) {
  Open();
  EngineClient client(engine_.get());
  ASSERT_OK(client.Push(labels_, 100, "same"));
  ASSERT_OK(client.Push(labels_, 200, "first pack"));
  ASSERT_OK(engine_->Flush());
  ASSERT_OK(client.Push(labels_, 100, "same"));  // again, in another pack
  ASSERT_OK(engine_->Flush());
  ASSERT_OK(client.Push(labels_, 200, "first pack"));  // and in the head
  ASSERT_OK(client.Push(labels_, 300, "head"));
  const auto snapshot = Snapshot();
  const std::vector<LogSlice>& slices = snapshot->slices();
  ASSERT_EQ(slices.size(), 3u);
  EXPECT_TRUE(slices[0].older_overlapping.empty());
  EXPECT_EQ(slices[1].older_overlapping, std::vector<uint32_t>{0});
  EXPECT_EQ(slices[2].older_overlapping, std::vector<uint32_t>{0});  // touch at 200
  EXPECT_TRUE(slices[0].counts_exact);
  EXPECT_TRUE(slices[2].counts_exact);
  const Result<TestContents> contents = client.ReadAll();
  ASSERT_OK(contents);
  EXPECT_EQ(contents->begin()->second.size(), 3u);
}

TEST_F(SnapshotTest, BlocksOfOnePackThatTouchAreNotListed) {
  options_.block_rows = 2;
  Open();
  EngineClient client(engine_.get());
  for (const char* line : {"a", "b", "c", "d", "e"}) ASSERT_OK(client.Push(labels_, 100, line));
  ASSERT_OK(engine_->Flush());
  const auto snapshot = Snapshot();
  EXPECT_EQ(snapshot->slices().size(), 3u);
  EXPECT_EQ(snapshot->source_count(), 3u);
  for (const LogSlice& slice : snapshot->slices()) EXPECT_TRUE(slice.older_overlapping.empty());
}

TEST_F(SnapshotTest, FindsLateEntriesInTheirOldBucket) {
  Open();
  EngineClient client(engine_.get());
  ASSERT_OK(client.Push(labels_, 10 * kNsPerHour, "ten"));
  ASSERT_OK(engine_->Flush());
  ASSERT_OK(client.Push(labels_, 2 * kNsPerHour, "two, late"));
  ASSERT_OK(client.Push(labels_, 10 * kNsPerHour + 1, "ten, later"));
  ASSERT_OK(engine_->Flush());
  EXPECT_EQ(engine_->Stats().packs, 3u);
  const auto snapshot = Snapshot({.begin_ns = 0, .end_ns = 3 * kNsPerHour});
  EXPECT_EQ(Lines(*snapshot, engine_->query_budget()), (std::multiset<std::string>{"two, late"}));
}

TEST_F(SnapshotTest, SelectsStreamsByMatcherTenantAndTime) {
  Open();
  EngineClient client(engine_.get());
  EngineClient other(engine_.get(), "other");
  const Labels b = MakeLabels({{"app", "b"}});
  ASSERT_OK(client.Push(labels_, 100, "x"));
  ASSERT_OK(client.Push(b, 200, "x"));
  ASSERT_OK(other.Push(labels_, 100, "x"));
  for (const bool flushed : {false, true}) {
    SCOPED_TRACE(flushed);
    if (flushed) ASSERT_OK(engine_->Flush());
    const TenantId tenant = *engine_->FindTenant("t");
    const auto all = engine_->SelectStreams(tenant, {}, {});
    ASSERT_OK(all);
    ASSERT_EQ(all->size(), 2u);
    EXPECT_EQ(*(*all)[0], labels_);
    EXPECT_EQ(*(*all)[1], b);
    const auto late = engine_->SelectStreams(tenant, {}, {.begin_ns = 150, .end_ns = 300});
    ASSERT_OK(late);
    ASSERT_EQ(late->size(), 1u);
    EXPECT_EQ(*(*late)[0], b);
    std::vector<Matcher> matchers;
    matchers.push_back(*Matcher::Create("app", MatchOp::kRegexMatch, "a|c"));
    const auto snapshot = engine_->SnapshotLogs(tenant, matchers, {});
    ASSERT_OK(snapshot);
    ASSERT_EQ((*snapshot)->streams().size(), 1u);
    EXPECT_EQ(*(*snapshot)->streams()[0].labels, labels_);
    EXPECT_TRUE((*engine_->SnapshotLogs(tenant, matchers, {.begin_ns = 5, .end_ns = 5}))->slices().empty());
  }
}

TEST_F(SnapshotTest, RetentionHidesAtOnceAndFreesWhenTheLastReaderIsGone) {
  options_.retention_ns = kNsPerHour;
  Open();
  EngineClient client(engine_.get());
  const int64_t now = clock_.now_ns;
  ASSERT_OK(client.Push(labels_, now - kNsPerHour + 1, "soon too old"));
  ASSERT_OK(engine_->Flush());
  ASSERT_OK(client.Push(labels_, now, "young"));
  ASSERT_OK(engine_->Flush());
  EngineTestPeer peer(engine_.get());
  auto snapshot = Snapshot();
  EXPECT_EQ(Lines(*snapshot, engine_->query_budget()).size(), 2u);

  clock_.now_ns = now + 2;
  EXPECT_EQ(Lines(*Snapshot(), engine_->query_budget()), (std::multiset<std::string>{"young"}));
  ASSERT_OK(peer.RunRetentionOnce());
  EXPECT_EQ(peer.dropped_but_not_freed(), 1u);
  EXPECT_EQ(disk_.packs->List()->size(), 2u);
  EXPECT_EQ(Lines(*snapshot, engine_->query_budget()).size(), 2u) << "the old snapshot still reads it";
  snapshot.reset();
  ASSERT_OK(peer.RunRetentionOnce());
  EXPECT_EQ(peer.dropped_but_not_freed(), 0u);
  EXPECT_EQ(disk_.packs->List()->size(), 1u);
  EXPECT_EQ(engine_->Stats().packs_dropped_by_retention, 1u);
}

TEST_F(SnapshotTest, LoadsCountAgainstTheReadersBudget) {
  Open();
  EngineClient client(engine_.get());
  ASSERT_OK(client.Push(labels_, 1, std::string(100'000, 'x')));
  const auto snapshot = Snapshot();
  MemoryBudget small("small", 50'000);
  const auto refused = snapshot->Load(0, kLines, &small);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), Code::kResourceExhausted);
  EXPECT_EQ(small.used_bytes(), 0);
  MemoryBudget large("large", 1'000'000);
  {
    const auto columns = snapshot->Load(0, kLines, &large);
    ASSERT_OK(columns);
    EXPECT_GE(large.used_bytes(), 100'000);
  }
  EXPECT_EQ(large.used_bytes(), 0);
}

TEST_F(SnapshotTest, NamesTheDamagedBlockAndReadsTheRest) {
  Open();
  EngineClient client(engine_.get());
  ASSERT_OK(client.Push(labels_, 1, "in hour 0"));
  ASSERT_OK(client.Push(labels_, kNsPerHour, "in hour 1"));
  ASSERT_OK(engine_->Flush());
  disk_.packs->Overwrite(disk_.packs->List()->front().id, 0, "garbage");
  const auto snapshot = Snapshot();
  ASSERT_EQ(snapshot->slices().size(), 2u);
  int damaged = 0;
  for (const LogSlice& slice : snapshot->slices()) {
    const auto columns = snapshot->Load(slice.source, kLines, engine_->query_budget());
    if (columns.ok()) continue;
    ++damaged;
    EXPECT_EQ(columns.status().code(), Code::kCorruption);
    EXPECT_NE(columns.status().message().find(snapshot->SourceName(slice.source)), std::string::npos);
  }
  EXPECT_EQ(damaged, 1);
}

}  // namespace
}  // namespace varve
