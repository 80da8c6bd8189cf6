// The metric store against MemoryMetricStore: random writes, flushes, crashes, failing steps and deletes; after each
// the verdicts and everything that can be read must be the same.
#include <gtest/gtest.h>

#include <random>

#include "tests/support/memory_metric_store.h"
#include "tests/unit/engine/metrics/metric_store_fixture.h"

namespace varve {
namespace {

class EngineMetricsProperty : public MetricStoreFixture {
 protected:
  EngineMetricsProperty() {
    SetSeed(std::random_device()());
    for (int i = 0; i < 12; ++i) {
      const std::string number = std::to_string(i);
      labels_.push_back(MetricLabelsOf(
          {{"__name__", i % 2 == 0 ? "a" : "b"}, {"instance", i % 3 == 0 ? "x" : "y"}, {"number", number}}));
    }
  }
  void SetSeed(uint32_t seed) {
    seed_ = seed;
    random_.seed(seed);
  }
  uint64_t Below(uint64_t end) { return random_() % end; }

  TestSample RandomSample(int64_t around_ms) {
    TestSample sample;
    sample.ts_ms = around_ms + static_cast<int64_t>(Below(5)) * 1000;
    if (Below(20) == 0) sample.ts_ms -= static_cast<int64_t>(Below(4)) * kDayMs;
    switch (Below(8)) {
      case 0: sample.value = std::bit_cast<double>(random_()); break;
      case 1: sample.value = StaleNan(); break;
      case 2: sample.value = static_cast<double>(Below(1000)) / 8; break;
      case 3: sample.histogram = OneBucketHistogram(Below(3), static_cast<double>(Below(2))); break;
      default: sample.value = static_cast<double>(Below(4)); break;
    }
    if (Below(6) == 0) sample.start_ms = static_cast<int64_t>(Below(3));
    return sample;
  }

  TestMetricPush RandomPush(int64_t around_ms) {
    TestMetricPush push;
    for (size_t n = 1 + Below(6); n > 0; --n) {
      TestMetricPush::Series& series = push.series.emplace_back();
      series.labels = labels_[Below(labels_.size())];
      for (size_t k = 1 + Below(4); k > 0; --k) series.samples.push_back(RandomSample(around_ms));
    }
    return push;
  }

  // `exact`: the oracle has just seen the same batch, so the verdicts must be equal as well.
  void PushBoth(const TestMetricPush& push) {
    const Result<MetricVerdicts> expected = MetricClient(&oracle_, 0).Push(push);
    const Result<MetricVerdicts> actual = Client().Push(push);
    ASSERT_OK(expected);
    ASSERT_OK(actual);
    ASSERT_EQ(actual->floats, expected->floats);
    ASSERT_EQ(actual->histograms, expected->histograms);
    ASSERT_EQ(actual->stored_floats, expected->stored_floats);
  }

  void ExpectSame() {
    ASSERT_EQ(All(), *MetricClient(&oracle_, 0).ReadAll());
    MetricRange range;
    range.min_ms = now_ms_ - static_cast<int64_t>(Below(2 * kDayMs));
    range.max_ms = range.min_ms + static_cast<int64_t>(Below(3 * kDayMs));
    ASSERT_EQ(All(range), *MetricClient(&oracle_, 0).ReadAll({}, range));
  }

  uint32_t seed_ = 0;
  std::mt19937_64 random_;
  MemoryMetricStore oracle_;
  std::vector<PackedLabels> labels_;
};

TEST_F(EngineMetricsProperty, WhateverHappensTheStoreIsAMapFromSeriesAndTimeToTheFirstValue) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  options_.metric_shard_count = 2;
  options_.compaction_interval_ms = 1;
  Open();
  ASSERT_FALSE(HasFatalFailure());
  int64_t around_ms = now_ms_;
  for (int step = 0; step < 400 && !HasFatalFailure(); ++step) {
    if (Below(3) == 0) around_ms += 3000;
    if (Below(60) == 0) around_ms += kDayMs / 3;
    SCOPED_TRACE("step " + std::to_string(step));
    switch (Below(24)) {
      case 0: ASSERT_OK(engine_->Flush()); break;
      case 1: Open(); break;
      case 2: {
        failing_step_ = "pack";
        EXPECT_FALSE(engine_->Flush().ok() && engine_->metrics().Stats().head_samples != 0);
        failing_step_ = nullptr;
        break;
      }
      case 3: {
        const std::vector<Matcher> some = {
            *Matcher::Create("number", MatchOp::kRegexMatch, Below(2) == 0 ? "[0-4]" : "1.*|[7-9]")};
        MetricRange range;
        range.min_ms = around_ms - static_cast<int64_t>(Below(kDayMs));
        range.max_ms = range.min_ms + static_cast<int64_t>(Below(kDayMs));
        ASSERT_OK(engine_->metrics().DeleteSamples(*engine_->InternTenant("t"), some, range));
        ASSERT_OK(oracle_.DeleteSamples(0, some, range));
        break;
      }
      case 4: ASSERT_OK(engine_->Compact()); break;
      case 5:
      case 6: ExpectSame(); break;
      default: PushBoth(RandomPush(around_ms)); break;
    }
  }
  if (!HasFatalFailure()) ExpectSame();
}

}  // namespace
}  // namespace varve
