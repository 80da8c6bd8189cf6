// Compaction of metric packs: fewer packs, the same samples, and what was deleted gone from them.
#include <gmock/gmock.h>

#include <random>

#include "tests/unit/engine/metrics/metric_store_fixture.h"

namespace varve {
namespace {

class MetricCompactionTest : public MetricStoreFixture {
 protected:
  MetricCompactionTest() {
    options_.metric_shard_count = 1;
    options_.compaction_enabled = false;  // only when asked
  }
  // A pack with both series, `count` samples from `begin_ms` on.
  void WritePack(int64_t begin_ms, int64_t count, double value) {
    TestMetricPush push;
    for (const PackedLabels& labels : {up_, load_}) {
      TestMetricPush::Series& series = push.series.emplace_back();
      series.labels = labels;
      for (int64_t i = 0; i < count; ++i)
        series.samples.push_back({.ts_ms = begin_ms + i * 15'000, .value = value});
    }
    ASSERT_OK(Client().Push(push));
    ASSERT_OK(engine_->Flush());
  }
  std::vector<Matcher> IsUp() const { return {*Matcher::Create("__name__", MatchOp::kEqual, "up")}; }
  TenantId Tenant() { return *engine_->InternTenant("t"); }

  const int64_t midnight_ = now_ms_ / kDayMs * kDayMs;
};

TEST_F(MetricCompactionTest, MakesOnePackADayAndChangesNoSample) {
  Open();
  for (int64_t i = 0; i < 6; ++i)
    WritePack(midnight_ - kDayMs + i * 4 * 3'600'000, 300, 0.25 * static_cast<double>(i));
  WritePack(midnight_ - 30'000, 4, 7);  // across midnight
  const TestMetricContents before = All();
  const uint64_t samples = engine_->metrics().Stats().pack_samples;
  EXPECT_EQ(engine_->metrics().Stats().packs, 8u);
  ASSERT_OK(engine_->Compact());
  EXPECT_EQ(engine_->metrics().Stats().packs, 2u);
  EXPECT_EQ(engine_->metrics().Stats().pack_samples, samples);
  EXPECT_EQ(All(), before);
  Open();
  EXPECT_EQ(All(), before);
  EXPECT_EQ(engine_->metrics().Stats().packs, 2u);
  ASSERT_OK(engine_->Compact());
  EXPECT_EQ(engine_->metrics().Stats().packs, 2u);
  EXPECT_EQ(Push(up_, midnight_ - kDayMs, 0), SampleVerdict::kAlreadyThere);
  EXPECT_EQ(Push(up_, midnight_ - kDayMs, 1), SampleVerdict::kConflict);
}

TEST_F(MetricCompactionTest, TakesDeletedSamplesOffTheDiskAndForgetsTheRequest) {
  Open();
  WritePack(midnight_, 100, 1);
  WritePack(midnight_ + 3'600'000, 100, 2);
  ASSERT_OK(engine_->metrics().DeleteSamples(Tenant(), IsUp(),
                                             {.min_ms = midnight_ + 15'000, .max_ms = midnight_ + 45'000}));
  TestMetricContents expected = All();
  EXPECT_EQ(expected[up_.ToString()].size(), 197u);
  EXPECT_EQ(engine_->metrics().Stats().pack_samples, 400u);
  ASSERT_OK(engine_->Compact());
  EXPECT_EQ(engine_->metrics().Stats().pack_samples, 397u);
  EXPECT_EQ(All(), expected);
  // The place is free, and what comes there now stays, also when it is merged with what the request had
  // covered.
  EXPECT_EQ(Push(up_, midnight_ + 30'000, 5), SampleVerdict::kStored);
  ASSERT_OK(engine_->Flush());
  expected = All();
  EXPECT_EQ(expected[up_.ToString()].size(), 198u);
  ASSERT_OK(engine_->Compact());
  EXPECT_EQ(All(), expected);
  Open();
  EXPECT_EQ(All(), expected);
  size_t requests = 0;
  {
    const MutexLock lock(disk_.meta->mu);
    for (const auto& [key, value] : disk_.meta->records)
      requests += key.starts_with("metric_delete/") ? 1 : 0;
  }
  EXPECT_EQ(requests, 0u);
}

TEST_F(MetricCompactionTest, ADeletedSeriesLeavesNoPackBehind) {
  Open();
  WritePack(midnight_, 10, 1);
  ASSERT_OK(engine_->metrics().DeleteSamples(Tenant(), {}, {}));
  EXPECT_TRUE(All().empty());
  ASSERT_OK(engine_->Compact());
  EXPECT_EQ(engine_->metrics().Stats().packs, 0u);
  Open();
  EXPECT_TRUE(All().empty());
}

TEST_F(MetricCompactionTest, LeavesOutWhatIsPastRetention) {
  options_.retention_ns = 2 * kDayMs * 1'000'000;
  Open();
  WritePack(midnight_, 100, 1);
  clock_.now_ns = (midnight_ + 2 * kDayMs + 50 * 15'000) * 1'000'000;
  WritePack(midnight_ + 100 * 15'000, 1, 1);
  const TestMetricContents expected = All();
  ASSERT_OK(engine_->Compact());
  EXPECT_EQ(All(), expected);
  EXPECT_EQ(engine_->metrics().Stats().packs, 1u);
  EXPECT_EQ(engine_->metrics().Stats().pack_samples, 2u * 51);
}

struct FailingStep {
  const char* name;
  const char* step;
  Code answer;  // of Compact
};

class MetricCompactionFailure : public MetricCompactionTest,
                                public testing::WithParamInterface<FailingStep> {};

TEST_P(MetricCompactionFailure, LosesNothingAndIsMadeGoodLater) {
  Open();
  WritePack(midnight_, 100, 1);
  WritePack(midnight_ + 900'000, 100, 1);
  ASSERT_OK(engine_->metrics().DeleteSamples(Tenant(), IsUp(),
                                             {.min_ms = midnight_, .max_ms = midnight_ + 45'000}));
  const TestMetricContents expected = All();
  failing_step_ = GetParam().step;
  EXPECT_EQ(engine_->Compact().code(), GetParam().answer);
  EXPECT_EQ(All(), expected);
  failing_step_ = nullptr;
  Open();
  EXPECT_EQ(All(), expected);
  ASSERT_OK(engine_->Compact());
  EXPECT_EQ(All(), expected);
  EXPECT_EQ(engine_->metrics().Stats().packs, 1u);
}

INSTANTIATE_TEST_SUITE_P(Steps, MetricCompactionFailure,
                         testing::Values(FailingStep{"WritingThePack", "pack", Code::kIoError},
                                         FailingStep{"DroppingTheInputs", "drop", Code::kOk}),
                         [](const auto& param) { return param.param.name; });

TEST_F(MetricCompactionTest, ManySmallPacksOfTheDayBeingWrittenAreMergedUnasked) {
  options_.compaction_enabled = true;
  options_.compaction_interval_ms = 1;
  Open();
  for (int64_t i = 0; i < 8; ++i) WritePack(now_ms_ + i * 150'000, 10, 1);
  const TestMetricContents expected = All();
  ASSERT_OK(engine_->Compact());
  EXPECT_EQ(engine_->metrics().Stats().packs, 1u);
  EXPECT_EQ(All(), expected);
}

}  // namespace
}  // namespace varve
