// Retention over stores in memory, with a clock that stands still: who sees what at the boundary, what is
// dropped when, by time and by size.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "engine/retention_policy.h"
#include "tests/support/engine_client.h"
#include "tests/support/memory_stores.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using Texts = std::multiset<std::string>;

class FakeClock final : public Clock {
 public:
  int64_t NowNs() const override { return now_ns; }
  int64_t now_ns = 1'700'000'000LL * kNsPerSecond;
};

class RetentionTest : public testing::Test {
 protected:
  RetentionTest() {
    options_.data_dir = "/";
    options_.memory_budget_bytes = 256 << 20;
    options_.shard_count = 1;
    options_.encode_threads = 1;
    options_.query_threads = 1;
    options_.disk_full_fraction = 1.0;
    options_.cut_bytes = 1 << 30;
    options_.cut_age_ms = int64_t{1} << 40;
    options_.retention_check_interval_ms = int64_t{1} << 40;
    options_.clock = &clock_;
    options_.retention = source_;
  }
  void Open() {
    Result<std::unique_ptr<Engine>> engine = OpenWith(options_, MakeMemoryStores(disk_));
    ASSERT_OK(engine);
    engine_ = std::move(engine).value();
    ASSERT_OK(engine_->Recover(TestReplay(engine_.get())));
  }
  // The short stream is kept for an hour, the rest for a day.
  static RetentionPolicy TwoPeriods() {
    RetentionStream rule;
    rule.matchers.push_back(std::move(Matcher::Create("app", MatchOp::kEqual, "short")).value());
    rule.period_ns = kNsPerHour;
    std::vector<RetentionStream> rules;
    rules.push_back(std::move(rule));
    return RetentionPolicy(24 * kNsPerHour, std::move(rules));
  }
  // Visible lines, by the way readers go: slices, and of each the rows that are not hidden.
  Texts Visible() {
    const Result<TenantId> tenant = engine_->FindTenant("t");
    EXPECT_OK(tenant);
    const auto snapshot = engine_->SnapshotLogs(*tenant, {}, {});
    EXPECT_OK(snapshot);
    Texts lines;
    for (const LogSlice& slice : (*snapshot)->slices()) {
      const auto columns = (*snapshot)->Load(slice.source, kLines, engine_->query_budget());
      EXPECT_OK(columns);
      std::vector<uint32_t> rows;
      for (uint32_t row = slice.row_begin; row < std::min(slice.row_end, (*columns)->row_count); ++row) {
        rows.push_back(row);
      }
      const size_t before = rows.size();
      EXPECT_OK((*snapshot)->DropHidden(slice, engine_->query_budget(), &rows));
      if (rows.size() != before) {
        EXPECT_FALSE(slice.counts_exact);
      }
      for (const uint32_t row : rows) lines.emplace((*columns)->Line(row));
    }
    return lines;
  }
  size_t StreamsListed() {
    const auto streams = engine_->SelectStreams(*engine_->FindTenant("t"), {}, {});
    EXPECT_OK(streams);
    return streams->size();
  }

  FakeClock clock_;
  std::shared_ptr<RetentionSource> source_ = std::make_shared<RetentionSource>(RetentionPolicy(0));
  EngineOptions options_;
  MemoryDisk disk_;
  std::unique_ptr<Engine> engine_;
  const Labels short_ = MakeLabels({{"app", "short"}});
  const Labels long_ = MakeLabels({{"app", "long"}});
};

TEST_F(RetentionTest, HidesExactlyAtTheBoundaryInHeadsAndPacksAlike) {
  source_->Replace(TwoPeriods());
  Open();
  EngineClient client(engine_.get());
  const int64_t now = clock_.now_ns;
  const int64_t edge = now - kNsPerHour;
  ASSERT_OK(client.Push(short_, edge - 1, "before"));
  ASSERT_OK(client.Push(short_, edge, "at"));
  ASSERT_OK(client.Push(short_, edge + 1, "after"));
  ASSERT_OK(client.Push(long_, edge - 1, "long"));
  EXPECT_EQ(Visible(), (Texts{"after", "at", "long"}));
  ASSERT_OK(engine_->Flush());
  EXPECT_EQ(Visible(), (Texts{"after", "at", "long"}));
  for (int64_t step = 1; step <= 3; ++step) {
    clock_.now_ns = now + step;
    Texts expected{"long"};
    if (step == 1) expected.insert("after");
    EXPECT_EQ(Visible(), expected) << step;
    EXPECT_EQ(StreamsListed(), step == 1 ? 2u : 1u) << step;
  }
}

TEST_F(RetentionTest, ShowsAgainWhatALongerPeriodKeeps) {
  Open();
  EngineClient client(engine_.get());
  ASSERT_OK(client.Push(short_, clock_.now_ns - 2 * kNsPerHour, "old"));
  ASSERT_OK(engine_->Flush());
  const TimeRange range{.begin_ns = clock_.now_ns - kNsPerHour, .end_ns = clock_.now_ns};
  const auto generation = engine_->DataGeneration(range);
  EXPECT_EQ(Visible(), (Texts{"old"}));
  source_->Replace(TwoPeriods());
  EXPECT_EQ(Visible(), (Texts{}));
  EXPECT_NE(engine_->DataGeneration(range), generation) << "an answer kept from before would be wrong";
  EXPECT_FALSE(engine_->DataGeneration({.begin_ns = range.begin_ns - 1, .end_ns = range.end_ns}).has_value())
      << "what that range shows changes with the clock";
  source_->Replace(RetentionPolicy(0));
  EXPECT_EQ(Visible(), (Texts{"old"}));
}

TEST_F(RetentionTest, DropsAPackWhenAllOfItHasExpired) {
  Open();
  EngineClient client(engine_.get());
  EngineTestPeer peer(engine_.get());
  const int64_t now = clock_.now_ns;
  // One policy when they are cut, so that they share a pack.
  ASSERT_OK(client.Push(short_, now, "short"));
  ASSERT_OK(client.Push(long_, now, "long"));
  ASSERT_OK(engine_->Flush());
  ASSERT_EQ(disk_.packs->List()->size(), 1u);
  source_->Replace(TwoPeriods());

  clock_.now_ns = now + 2 * kNsPerHour;
  ASSERT_OK(peer.RunRetentionOnce());
  EXPECT_EQ(disk_.packs->List()->size(), 1u) << "the long stream is still there";
  EXPECT_EQ(Visible(), (Texts{"long"}));
  clock_.now_ns = now + 24 * kNsPerHour;
  ASSERT_OK(peer.RunRetentionOnce());
  EXPECT_EQ(disk_.packs->List()->size(), 1u) << "at the boundary it is still kept";
  clock_.now_ns += 1;
  ASSERT_OK(peer.RunRetentionOnce());
  EXPECT_EQ(disk_.packs->List()->size(), 0u);
  EXPECT_EQ(engine_->Stats().packs_dropped_by_retention, 1u);
}

TEST_F(RetentionTest, CutsStreamsOfDifferentPeriodsIntoPacksOfTheirOwn) {
  source_->Replace(TwoPeriods());
  Open();
  EngineClient client(engine_.get());
  EngineTestPeer peer(engine_.get());
  ASSERT_OK(client.Push(short_, clock_.now_ns, "short"));
  ASSERT_OK(client.Push(long_, clock_.now_ns, "long"));
  ASSERT_OK(engine_->Flush());
  const auto packs = disk_.packs->List();
  ASSERT_EQ(packs->size(), 2u);
  EXPECT_EQ((*packs)[0].id.retention_class, 0) << "the default period";
  EXPECT_NE((*packs)[1].id.retention_class, 0);
  clock_.now_ns += kNsPerHour + 1;
  ASSERT_OK(peer.RunRetentionOnce());
  EXPECT_EQ(disk_.packs->List()->size(), 1u);
  EXPECT_EQ(Visible(), (Texts{"long"}));
}

TEST_F(RetentionTest, DropsTheOldestBucketsBeyondTheSizeAndSaysSo) {
  std::vector<std::string> notices;
  options_.notice = [&](const std::string& text) { notices.push_back(text); };
  options_.retention_size_bytes = 1;
  Open();
  EngineClient client(engine_.get());
  EngineTestPeer peer(engine_.get());
  const int64_t now = clock_.now_ns;
  for (const int64_t hours : {30, 20, 10, 0}) {
    ASSERT_OK(client.Push(long_, now - hours * kNsPerHour, std::to_string(hours)));
  }
  ASSERT_OK(engine_->Flush());
  ASSERT_OK(peer.RunRetentionOnce());
  EXPECT_EQ(Visible(), (Texts{"0"})) << "the bucket being written stays, however small the limit";
  EXPECT_EQ(disk_.packs->List()->size(), 1u);
  EXPECT_EQ(engine_->Stats().packs_dropped_by_size, 3u);
  EXPECT_GT(engine_->Stats().bytes_dropped_by_size, 0u);
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_THAT(notices[0], ::testing::HasSubstr("dropped the oldest 3 packs"));
}

TEST_F(RetentionTest, DropsNoMoreBucketsThanTheSizeAsksFor) {
  options_.retention_size_bytes = 1 << 30;
  Open();
  EngineClient client(engine_.get());
  EngineTestPeer peer(engine_.get());
  for (const int64_t hours : {30, 20, 10}) {
    ASSERT_OK(client.Push(long_, clock_.now_ns - hours * kNsPerHour, std::to_string(hours)));
  }
  ASSERT_OK(engine_->Flush());
  ASSERT_OK(peer.RunRetentionOnce());
  EXPECT_EQ(Visible().size(), 3u);
  const auto total = static_cast<int64_t>(engine_->Stats().pack_bytes);
  engine_.reset();
  options_.retention_size_bytes = total - 1;
  Open();
  EngineTestPeer again(engine_.get());
  ASSERT_OK(again.RunRetentionOnce());
  EXPECT_EQ(Visible(), (Texts{"10", "20"}));
}

TEST_F(RetentionTest, ReadersKeepWhatSizeRetentionDrops) {
  options_.retention_size_bytes = 1;
  Open();
  EngineClient client(engine_.get());
  EngineTestPeer peer(engine_.get());
  ASSERT_OK(client.Push(long_, clock_.now_ns - 5 * kNsPerHour, "old"));
  ASSERT_OK(client.Push(long_, clock_.now_ns, "new"));
  ASSERT_OK(engine_->Flush());
  auto snapshot = engine_->SnapshotLogs(*engine_->FindTenant("t"), {}, {});
  ASSERT_OK(snapshot);
  ASSERT_OK(peer.RunRetentionOnce());
  for (const LogSlice& slice : (*snapshot)->slices()) {
    EXPECT_OK((*snapshot)->Load(slice.source, kLines, engine_->query_budget()));
  }
}

}  // namespace
}  // namespace varve
