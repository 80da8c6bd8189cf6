// Taking samples: verdicts, failures, and what a start finds again.
#include <gmock/gmock.h>

#include "engine/metrics/metric_store_impl.h"
#include "tests/unit/engine/metrics/metric_store_fixture.h"

namespace varve {
namespace {

using MetricAppendTest = MetricStoreFixture;

TEST_F(MetricAppendTest, JudgesEachSampleByWhatItsSeriesHas) {
  Open();
  EXPECT_EQ(Push(up_, now_ms_, 1), SampleVerdict::kStored);
  EXPECT_EQ(Push(up_, now_ms_, 1), SampleVerdict::kAlreadyThere);
  EXPECT_EQ(Push(up_, now_ms_, 2), SampleVerdict::kConflict);
  EXPECT_EQ(Push(up_, now_ms_ - 5000, 0), SampleVerdict::kStored) << "late";
  EXPECT_EQ(Push(up_, now_ms_ - 5000, 0), SampleVerdict::kAlreadyThere);
  EXPECT_EQ(Push(up_, now_ms_ - 5000, -0.0), SampleVerdict::kConflict) << "another bit pattern";
  EXPECT_EQ(Push(load_, now_ms_, 2), SampleVerdict::kStored) << "another series";
  EXPECT_EQ(All()[up_.ToString()].size(), 2u);
  const MetricStoreStats stats = engine_->metrics().Stats();
  EXPECT_EQ(stats.series, 2u);
  EXPECT_EQ(stats.head_samples, 3u);
  EXPECT_EQ(stats.out_of_order_samples, 1u);
  EXPECT_EQ(stats.refused_conflict, 2u);
}

TEST_F(MetricAppendTest, AFloatAndAHistogramAtOneTimeAreAConflict) {
  Open();
  TestMetricPush push;
  push.series.push_back({.labels = up_,
                         .samples = {{.ts_ms = now_ms_, .value = 1},
                                     {.ts_ms = now_ms_, .histogram = OneBucketHistogram(3, 4)},
                                     {.ts_ms = now_ms_ + 1, .histogram = OneBucketHistogram(3, 4), .start_ms = 77}}});
  const Result<MetricVerdicts> verdicts = Client().Push(push);
  ASSERT_OK(verdicts);
  EXPECT_THAT(verdicts->histograms, testing::ElementsAre(SampleVerdict::kConflict, SampleVerdict::kStored));
  EXPECT_EQ(Push(up_, now_ms_ + 1, 1), SampleVerdict::kConflict);
  EXPECT_THAT(All()[up_.ToString()][now_ms_ + 1], testing::HasSubstr("since 77"));
}

TEST_F(MetricAppendTest, ManySamplesSentAgainAreKnownOneByOne) {
  Open();
  TestMetricPush push;
  push.series.push_back({.labels = up_});
  for (int64_t i = 0; i < 100; ++i) push.series[0].samples.push_back({.ts_ms = now_ms_ + i * 10, .value = 1});
  push.series[0].samples.push_back({.ts_ms = now_ms_ + 15, .value = 7});  // out of order
  push.series[0].samples.push_back({.ts_ms = now_ms_ + 1000, .histogram = OneBucketHistogram(3, 4)});
  ASSERT_OK(Client().Push(push));
  push.series[0].samples[40].value = 2;
  push.series[0].samples[50].ts_ms += 5;
  const Result<MetricVerdicts> verdicts = Client().Push(push);
  ASSERT_OK(verdicts);
  std::vector<SampleVerdict> expected(101, SampleVerdict::kAlreadyThere);
  expected[40] = SampleVerdict::kConflict;
  expected[50] = SampleVerdict::kStored;
  EXPECT_EQ(verdicts->floats, expected);
  EXPECT_THAT(verdicts->histograms, testing::ElementsAre(SampleVerdict::kAlreadyThere));
  EXPECT_EQ(All()[up_.ToString()].size(), 103u);
}

TEST_F(MetricAppendTest, OfTwoSamplesOfOneBatchAtOneTimeTheFirstCounts) {
  Open();
  TestMetricPush push;  // the series stands in it twice
  push.series.push_back({.labels = up_, .samples = {{.ts_ms = 10, .value = 1}, {.ts_ms = 10, .value = 2}}});
  push.series.push_back({.labels = load_, .samples = {{.ts_ms = 10, .value = 5}}});
  push.series.push_back({.labels = up_, .samples = {{.ts_ms = 10, .value = 1}, {.ts_ms = 9, .value = 3}}});
  const Result<MetricVerdicts> verdicts = Client().Push(push);
  ASSERT_OK(verdicts);
  EXPECT_THAT(verdicts->floats,
              testing::ElementsAre(SampleVerdict::kStored, SampleVerdict::kConflict, SampleVerdict::kStored,
                                   SampleVerdict::kAlreadyThere, SampleVerdict::kStored));
  EXPECT_EQ(verdicts->stored_floats, 4u);
  EXPECT_EQ(All()[up_.ToString()].size(), 2u);
}

// A sample that no pack could hold must never get into a head: its cut would fail for good.
TEST_F(MetricAppendTest, SamplesAtTheVeryEndsOfTimeAreRefused) {
  Open();
  EXPECT_EQ(Push(up_, INT64_MAX, 1), SampleVerdict::kTooOld);
  EXPECT_EQ(Push(up_, INT64_MIN, 1), SampleVerdict::kTooOld);
  EXPECT_EQ(Push(up_, kStorableMaxMs + 1, 1), SampleVerdict::kTooOld);
  EXPECT_EQ(Push(up_, kStorableMinMs - 1, 1), SampleVerdict::kTooOld);
  EXPECT_EQ(Push(up_, kStorableMaxMs, 1), SampleVerdict::kStored);
  EXPECT_EQ(Push(up_, kStorableMinMs, 1), SampleVerdict::kStored);
  ASSERT_OK(engine_->Flush());
  EXPECT_EQ(All()[up_.ToString()].size(), 2u);
}

TEST_F(MetricAppendTest, WhatIsPastRetentionIsRefusedAndHidden) {
  options_.retention_ns = 24LL * 3600 * 1'000'000'000;
  Open();
  EXPECT_EQ(Push(up_, now_ms_ - kDayMs - 1, 1), SampleVerdict::kTooOld);
  EXPECT_EQ(Push(up_, now_ms_ - kDayMs + 1000, 1), SampleVerdict::kStored);
  EXPECT_EQ(All().size(), 1u);
  clock_.now_ns += 2'000'000'000;
  EXPECT_TRUE(All().empty());
}

TEST_F(MetricAppendTest, WritesNoRecordWhenNothingIsNew) {
  Open();
  Push(up_, now_ms_, 1);
  EXPECT_EQ(JournalRecords(), 1u);
  Push(up_, now_ms_, 1);
  Push(up_, now_ms_, 2);
  EXPECT_EQ(JournalRecords(), 1u);
}

TEST_F(MetricAppendTest, AFailedJournalStoresNothing) {
  Open();
  failing_step_ = "journal";
  EXPECT_EQ(Client().Push(up_, now_ms_, 1).status().code(), Code::kIoError);
  EXPECT_TRUE(All().empty());
  failing_step_ = nullptr;
  Open();
  EXPECT_TRUE(All().empty());
  EXPECT_EQ(Push(up_, now_ms_, 2), SampleVerdict::kStored);
}

TEST_F(MetricAppendTest, ACrashLosesNothingAndBringsNothingRefusedBack) {
  Open();
  TestMetricPush push;
  push.series.push_back({.labels = up_,
                         .samples = {{.ts_ms = 10, .value = 1, .start_ms = 5},
                                     {.ts_ms = 10, .value = 2},
                                     {.ts_ms = 20, .histogram = OneBucketHistogram(3, 4)}}});
  push.series.push_back({.labels = load_, .samples = {{.ts_ms = 10, .value = 7}, {.ts_ms = 5, .value = 8}}});
  ASSERT_OK(Client().Push(push));
  ASSERT_OK(Client().Push(push));  // nothing new
  ASSERT_OK(Client("other").Push(up_, 10, 99));
  EXPECT_EQ(Push(up_, 30, StaleNan()), SampleVerdict::kStored);
  const TestMetricContents before = All();
  EXPECT_EQ(before.at(up_.ToString()).size(), 3u);
  Open();
  EXPECT_EQ(All(), before);
  EXPECT_EQ(Push(up_, 30, StaleNan()), SampleVerdict::kAlreadyThere);
  EXPECT_EQ(engine_->metrics().Stats().series, 3u);
}

TEST_F(MetricAppendTest, ReadsSeriesByLabelsAndTime) {
  Open();
  const PackedLabels other = MetricLabelsOf({{"__name__", "up"}, {"job", "b"}, {"instance", "i"}});
  Push(up_, now_ms_, 1);
  Push(other, now_ms_ - 1000, 1);
  Push(load_, now_ms_ - 3 * kDayMs, 1);
  const TenantId tenant = *engine_->InternTenant("t");
  const MetricStore& store = engine_->metrics();
  const std::vector<Matcher> is_up = {*Matcher::Create("__name__", MatchOp::kEqual, "up")};
  EXPECT_THAT(*store.SelectSeries(tenant, is_up, {}, 0), testing::ElementsAre(up_, other));
  EXPECT_THAT(*store.SelectSeries(tenant, is_up, {}, 1), testing::ElementsAre(up_));
  const MetricRange newest{.min_ms = now_ms_, .max_ms = now_ms_ + 5};
  EXPECT_THAT(*store.SelectSeries(tenant, {}, newest, 0), testing::ElementsAre(up_));
  EXPECT_THAT(*store.LabelNames(tenant, is_up, {}), testing::ElementsAre("__name__", "instance", "job"));
  EXPECT_THAT(*store.LabelValues(tenant, "job", {}, {}), testing::ElementsAre("a", "b"));
  EXPECT_THAT(*store.LabelValues(tenant, "job", {}, newest), testing::ElementsAre("a"));
  EXPECT_TRUE(store.SelectSeries(*engine_->InternTenant("nobody"), {}, {}, 0)->empty());
}

}  // namespace
}  // namespace varve
