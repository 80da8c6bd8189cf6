// Heads into packs, and reading from both.
#include <gmock/gmock.h>

#include <random>

#include "tests/support/memory_metric_store.h"
#include "tests/unit/engine/metrics/metric_store_fixture.h"

namespace varve {
namespace {

using MetricCutTest = MetricStoreFixture;

TEST_F(MetricCutTest, AFlushPutsEverythingIntoPacksByDayAndTrimsTheJournal) {
  Open();
  const int64_t midnight = now_ms_ / kDayMs * kDayMs;
  TestMetricPush push;
  for (const PackedLabels& labels : {up_, load_}) {
    TestMetricPush::Series& series = push.series.emplace_back();
    series.labels = labels;
    for (int64_t i = -100; i < 100; ++i) series.samples.push_back({.ts_ms = midnight + i * 15000, .value = 0.5 * static_cast<double>(i)});
    series.samples.push_back({.ts_ms = midnight + 100 * 15000, .histogram = OneBucketHistogram(3, 2.5), .start_ms = 9});
  }
  ASSERT_OK(Client().Push(push));
  ASSERT_OK(Client("other").Push(up_, midnight, StaleNan()));
  const TestMetricContents before = All();
  ASSERT_OK(engine_->Flush());
  EXPECT_EQ(All(), before);
  EXPECT_EQ(JournalRecords(), 0u);
  const MetricStoreStats stats = engine_->metrics().Stats();
  EXPECT_EQ(stats.head_samples, 0u);
  EXPECT_GE(stats.packs, 2u);
  EXPECT_EQ(stats.pack_samples, 2u * 201 + 1);
  Open();
  EXPECT_EQ(All(), before);
  EXPECT_EQ(Client("other").ReadAll()->size(), 1u);
  EXPECT_EQ(All({.min_ms = midnight - 30000, .max_ms = midnight + 15000})[up_.ToString()].size(), 4u);
}

TEST_F(MetricCutTest, SamplesInPacksAreJudgedAgainst) {
  Open();
  Push(up_, now_ms_, 1);
  Push(up_, now_ms_ + 10, 2);
  ASSERT_OK(engine_->Flush());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(Push(up_, now_ms_, 1), SampleVerdict::kAlreadyThere);
    EXPECT_EQ(Push(up_, now_ms_ + 10, 3), SampleVerdict::kConflict);
    EXPECT_EQ(Push(up_, now_ms_ + 5 + round, 3), SampleVerdict::kStored);
    Open();  // nothing is known of the series' newest time after a start
  }
  EXPECT_EQ(All()[up_.ToString()].size(), 4u);
}

// Its sender would try again for ever otherwise.
TEST_F(MetricCutTest, SamplesThatWouldBeComparedWithALostPackAreTaken) {
  Open();
  Push(up_, now_ms_, 1);
  ASSERT_OK(engine_->Flush());
  std::vector<PackId> ids;
  const Result<std::vector<PackInfo>> packs = disk_.packs->List();
  ASSERT_OK(packs);
  for (const PackInfo& pack : *packs) ids.push_back(pack.id);
  ASSERT_OK(disk_.packs->Drop(ids));
  Open();
  EXPECT_EQ(Push(up_, now_ms_ - 5, 2), SampleVerdict::kStored);
  EXPECT_EQ(Push(up_, now_ms_, 3), SampleVerdict::kStored);
}

TEST_F(MetricCutTest, ASeriesStaysInItsShardWhateverTheNumberOfItsTenant) {
  Open();
  for (const char* tenant : {"zz", "b", "ccc", "a", "dddd"}) {  // seen in another order at the next start
    ASSERT_OK(Client(tenant).Push(up_, now_ms_, 1));
  }
  ASSERT_OK(engine_->Flush());
  for (const char* tenant : {"zz", "b", "ccc", "a", "dddd"}) {
    ASSERT_OK(Client(tenant).Push(up_, now_ms_ + 1, 1));  // in the journal
  }
  Open();
  for (const char* tenant : {"zz", "b", "ccc", "a", "dddd"}) {
    EXPECT_EQ((*Client(tenant).ReadAll())[up_.ToString()].size(), 2u) << tenant;
  }
}

TEST_F(MetricCutTest, AFailedCutIsTriedAgainAndLosesNothing) {
  Open();
  Push(up_, now_ms_, 1);
  failing_step_ = "pack";
  EXPECT_EQ(engine_->Flush().code(), Code::kIoError);
  Push(up_, now_ms_ + 1, 2);
  EXPECT_EQ(Push(up_, now_ms_, 1), SampleVerdict::kAlreadyThere) << "in the sealed head";
  EXPECT_EQ(Push(up_, now_ms_, 7), SampleVerdict::kConflict);
  EXPECT_EQ(All()[up_.ToString()].size(), 2u);
  failing_step_ = nullptr;
  ASSERT_OK(engine_->Flush());
  EXPECT_EQ(All()[up_.ToString()].size(), 2u);
  failing_step_ = "commit reported";
  Push(up_, now_ms_ + 2, 3);
  EXPECT_FALSE(engine_->Flush().ok());
  EXPECT_EQ(All()[up_.ToString()].size(), 3u);
  failing_step_ = nullptr;
  Open();
  EXPECT_EQ(All()[up_.ToString()].size(), 3u);
}

TEST_F(MetricCutTest, ASnapshotGoesOnShowingWhatItShowed) {
  Open();
  Push(up_, now_ms_, 1);
  const TenantId tenant = *engine_->InternTenant("t");
  const auto snapshot = engine_->metrics().Snapshot(tenant, {}, {});
  ASSERT_OK(snapshot);
  ASSERT_OK(engine_->Flush());
  Push(up_, now_ms_ + 1, 1);
  SeriesSamples samples;
  ASSERT_OK((*snapshot)->Read(0, {}, nullptr, &samples));
  EXPECT_THAT(samples.float_ts_ms, testing::ElementsAre(now_ms_));
}

TEST_F(MetricCutTest, AnImportOfManyDaysIsCutIntoAPackADay) {
  Open();
  TestMetricPush push;
  push.series.push_back({.labels = up_, .samples = {}});
  for (int64_t day = 0; day < 11; ++day) {
    push.series[0].samples.push_back({.ts_ms = now_ms_ - day * 3 * kDayMs, .value = static_cast<double>(day)});
  }
  ASSERT_OK(Client().Push(push));
  ASSERT_OK(engine_->Flush());
  EXPECT_EQ(engine_->metrics().Stats().packs, 11u);
  EXPECT_EQ(All()[up_.ToString()].size(), 11u);
  EXPECT_EQ(All({.min_ms = now_ms_ - 6 * kDayMs, .max_ms = now_ms_ - 3 * kDayMs})[up_.ToString()].size(), 2u);
}

TEST_F(MetricCutTest, RetentionDropsDaysWhole) {
  options_.retention_ns = 2 * kDayMs * 1'000'000;
  Open();
  Push(up_, now_ms_ - kDayMs, 1);
  Push(up_, now_ms_, 1);
  ASSERT_OK(engine_->Flush());
  EXPECT_EQ(engine_->metrics().Stats().packs, 2u);
  clock_.now_ns += 3 * kDayMs / 2 * 1'000'000;
  ASSERT_OK(EngineTestPeer(engine_.get()).RunRetentionOnce());
  EXPECT_EQ(engine_->metrics().Stats().packs, 1u);
  EXPECT_EQ(All()[up_.ToString()].size(), 1u);
  Open();
  EXPECT_EQ(All()[up_.ToString()].size(), 1u);
}

TEST_F(MetricCutTest, DeletesHideWhatWasStoredAndNothingElse) {
  Open();
  const TenantId tenant = *engine_->InternTenant("t");
  const std::vector<Matcher> is_up = {*Matcher::Create("__name__", MatchOp::kEqual, "up")};
  for (int64_t i = 0; i < 10; ++i) {
    Push(up_, now_ms_ + i, 1);
    Push(load_, now_ms_ + i, 1);
  }
  ASSERT_OK(engine_->metrics().DeleteSamples(tenant, is_up, {.min_ms = now_ms_ + 3, .max_ms = now_ms_ + 5}));
  EXPECT_EQ(All()[up_.ToString()].size(), 7u);
  EXPECT_EQ(All()[load_.ToString()].size(), 10u);
  EXPECT_EQ(Push(up_, now_ms_ + 4, 2), SampleVerdict::kStored) << "its place is free again";
  EXPECT_EQ(All()[up_.ToString()].size(), 8u);
  ASSERT_OK(engine_->Flush());
  EXPECT_EQ(All()[up_.ToString()].size(), 8u);
  Open();
  EXPECT_EQ(All()[up_.ToString()].size(), 8u);
  EXPECT_EQ(Push(up_, now_ms_ + 4, 3), SampleVerdict::kConflict);
}

}  // namespace
}  // namespace varve
